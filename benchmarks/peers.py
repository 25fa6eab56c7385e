"""The command lines of what the engine is measured beside; None where a program is not installed."""

import gzip
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.synthetic import Files

Commands = Sequence[Sequence[str]]
_BCFTOOLS = "import sys, pysam.bcftools as b; getattr(b, sys.argv[1])(*sys.argv[2:], catch_stdout=False)"


def bcftools(source: Path, files: Files) -> Commands:
    """annotate, which needs an indexed file, and csq that reads what it writes."""
    annotate = ["annotate", "-a", f"{files.known}.gz", "-c", "ID,INFO/AF", "-Ou", "-o", "-", str(source)]
    return [_bundled(annotate), *csq(Path("-"), files)]


def csq(source: Path, files: Files) -> Commands:
    """csq with all the gene models."""
    arguments = ["csq", "-l", "-p", "a", "--force", "--ncsq", "64", "-v", "0", "-f", str(files.fasta)]
    arguments += ["-g", str(files.gff), "-Oz", "-o", str(files.folder / "peer.vcf.gz"), str(source)]
    return [_bundled(arguments)]


def _bundled(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-c", _BCFTOOLS, *arguments]


def snpeff(source: Path, files: Files) -> Commands | None:
    """snpEff, packed as its users pack it; builds its database when there is none."""
    program, bgzip = shutil.which("snpEff"), shutil.which("bgzip")
    if program is None or bgzip is None:
        return None
    folder = files.folder / "snpeff"
    config = folder / "snpEff.config"
    if not config.exists():
        genome = folder / "data" / "bench"
        genome.mkdir(parents=True)
        (genome / "sequences.fa").symlink_to(files.fasta)
        with gzip.open(files.gff, "rt") as models, gzip.open(genome / "genes.gff.gz", "wt") as out:
            # it knows no lnc_RNA
            out.writelines(line.replace("\tlnc_RNA\t", "\ttranscript\t") for line in models)
        config.write_text(f"data.dir = {folder / 'data'}\nbench.genome : bench\n")
        build = ["build", "-gff3", "-noCheckCds", "-noCheckProtein", "-c", str(config), "bench"]
        subprocess.run([program, *build], check=True, capture_output=True, timeout=3600)
    annotate = ["ann", "-noStats", "-noLog", "-nodownload", "-c", str(config), "bench", str(source)]
    return [[program, *annotate], [bgzip, "-c"]]


def vcfanno(source: Path, files: Files, cores: int) -> Commands | None:
    """vcfanno with the known variants, and no consequences."""
    program, bgzip = shutil.which("vcfanno"), shutil.which("bgzip")
    if program is None or bgzip is None:
        return None
    config = files.folder / "vcfanno.toml"
    config.write_text(
        f'[[annotation]]\nfile = "{files.known}.gz"\nfields = ["ID", "AF"]\n'
        'ops = ["self", "self"]\nnames = ["known_id", "known_AF"]\n'
    )
    return [[program, "-p", str(cores), str(config), str(source)], [bgzip, "-c"]]
