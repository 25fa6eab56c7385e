"""`python -m annotations.engine INPUT --reference DIR --output DIR`: annotate one VCF.

`python -m annotations.engine INPUT --check-only [--reference DIR]`: only check it, and print what was found.
"""

import argparse
import gc
import json
import os
import sys
import tempfile
from pathlib import Path

from annotations.engine.bundle import BundleError, ReferenceBundle
from annotations.engine.errors import EngineFailure, UnusableInput

FAILED, UNUSABLE = 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 with a JSON summary on stdout; 2 with one line on stderr when the input cannot be used.

    With --check-only the report of the check goes to stdout either way.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.check_only and not (options.reference and options.output):
        parser.error("--reference and --output are needed to annotate; --check-only needs neither")
    from annotations.engine.annotate import annotate

    if not options.input.is_file():
        sys.stderr.write(f"error: {options.input} is not a file. Name the VCF file to annotate.\n")
        return UNUSABLE
    try:
        if options.check_only:
            return _check_only(options.input, options.reference)
        summary = annotate(
            options.input,
            ReferenceBundle.open(options.reference),
            options.output,
            cores=options.cores,
            haplotype_aware=options.haplotype_aware,
            keep_bcsq=options.keep_bcsq,
        )
    except (UnusableInput, BundleError) as error:
        sys.stderr.write(f"error: {_one_line(error)}\n")
        return UNUSABLE
    except EngineFailure as error:
        sys.stderr.write(f"failed: {_one_line(error)}\n")
        return FAILED
    sys.stdout.write(json.dumps(summary.as_json(), indent=2) + "\n")
    return 0


def _check_only(source: Path, reference: Path | None) -> int:
    from annotations.engine.check.upload import check_upload

    bundle = ReferenceBundle.open(reference) if reference else None
    with tempfile.TemporaryDirectory(prefix="check-") as scratch:
        report = check_upload(source, Path(scratch), bundle)
    sys.stdout.write(report.as_json() + "\n")
    return 0 if report.usable else UNUSABLE


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m annotations.engine", description=__doc__)
    parser.add_argument("input", type=Path, help="a VCF file, plain or compressed with gzip or bgzip")
    parser.add_argument("--reference", type=Path, help="folder of a reference bundle")
    parser.add_argument("--output", type=Path, help="folder for the results")
    parser.add_argument("--check-only", action="store_true", help="check the input, print a report as JSON")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument(
        "--haplotype-aware", action="store_true", help="judge variants on one haplotype together"
    )
    parser.add_argument("--keep-bcsq", action="store_true", help="keep bcftools' own BCSQ beside CSQ")
    return parser


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # or numpy starts a thread that spins for 0.1 s
    gc.disable()  # a command leaves little garbage, and to look for it among the libraries takes 0.1 s
    sys.exit(main())
