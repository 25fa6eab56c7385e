"""Annotate one file: plan, shards, gather."""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.layout import Plan, Rules, Summary
from annotations.engine.stages import LARGE_BYTES, stages

Progress = Callable[[str, int, int], None]

CHECK, ANNOTATE, PUBLISH = "check", "annotate", "publish"


def result_name(path: Path) -> str:
    """The name that the results of an input get: its own, without .vcf, .vcf.gz, .vcf.bgz or .gz.

    >>> result_name(Path("patient.one.vcf.gz"))
    'patient.one'
    """
    name = path.name
    for ending in (".gz", ".bgz", ".vcf"):
        name = name.removesuffix(ending)
    return name or "input"


def command_of(plan: Plan) -> str:
    """The command line that a result names."""
    options = ["--haplotype-aware"] * plan.haplotype_aware + ["--keep-bcsq"] * plan.keep_bcsq
    return " ".join(["annotate", plan.name, *options])


def annotate(  # noqa: PLR0913 - the options of the engine, each named by its caller
    source: Path,
    bundle: ReferenceBundle,
    output: Path,
    *,
    cores: int = 1,
    haplotype_aware: bool = False,
    keep_bcsq: bool = False,
    rules: Rules | None = None,
    progress: Progress | None = None,
    name: str | None = None,
) -> Summary:
    """Annotate the VCF `source` against `bundle` into the folder `output`.

    `progress` is called with the stage (check, annotate, publish), records done and records in all.
    Raises UnusableInput when the file cannot be annotated, EngineFailure when a step fails; neither leaves
    a file in `output`.
    """
    started = time.monotonic()
    large = source.stat().st_size > LARGE_BYTES
    tell = progress or (lambda stage, done, total: None)
    name = name or result_name(source)
    output.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix=".annotating-", dir=output))
    try:
        tell(CHECK, 0, 0)
        order = {
            "source": str(source),
            "name": name,
            "bundle": str(bundle.path),
            "cores": cores,
            "haplotype_aware": haplotype_aware,
            "keep_bcsq": keep_bcsq,
            "rules": asdict(rules or Rules()),
        }
        with stages(directory, helpers=cores if large else 0) as run:
            plan = run.plan(order, watch=lambda: tell(CHECK, 0, 0))
            tell(ANNOTATE, 0, plan.records)
            run.shards(plan, bundle, cores, lambda done: tell(ANNOTATE, done, plan.records))
            tell(PUBLISH, plan.records, plan.records)
            order = {
                "bundle": str(bundle.path),
                "output": str(directory / "result"),
                "command": command_of(plan),
            }
            summary = run.gather(order, partial(tell, PUBLISH, plan.records, plan.records))
        for kind, path in summary.files.items():
            target = output / Path(path).name
            Path(path).replace(target)
            summary.files[kind] = str(target)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    summary.seconds = round(time.monotonic() - started, 3)
    return summary
