"""Contigs are worked on together, and what is found is what each gives by itself."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotations.engine.bundle import MANIFEST_NAME, ReferenceBundle
from annotations.engine.demo import DemoFiles
from annotations.engine.tests.conftest import Annotate

HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


@pytest.fixture(scope="module")
def by_contig(demo_files: DemoFiles) -> dict[str, list[str]]:
    """The sites of the demo's sample."""
    found: dict[str, list[str]] = {}
    with demo_files.sample.open() as lines:
        for line in lines:
            if not line.startswith("#"):
                fields = line.rstrip("\n").split("\t")
                found.setdefault(fields[0], []).append("\t".join([*fields[:5], ".", ".", "."]) + "\n")
    return found


def test_a_file_of_several_contigs_gives_what_each_gives_by_itself(
    by_contig: dict[str, list[str]], demo_bundle: ReferenceBundle, run: Annotate
) -> None:
    # the mitochondrion, of another genetic code, between others; a contig that the reference lacks;
    # and one under a second name
    names = list(by_contig)
    order = [names[-1], *names[:-1]]
    again = [line.replace(names[0], f"chr{names[0].removeprefix('chr')}", 1) for line in by_contig[names[0]]]
    parts = [*(by_contig[name] for name in order[:2]), ["no_such_contig\t5\t.\tA\tC\t.\t.\t.\n"]]
    parts += [*(by_contig[name] for name in order[2:]), again]
    together = run(HEADER + "".join(line for part in parts for line in part), demo_bundle).records
    alone = [record for part in parts for record in _records(part, demo_bundle, run)]
    assert together == alone
    assert len(names) > 1
    assert sum("CSQ=" in record[7] for record in together) > 0.9 * len(together)


def _records(part: list[str], bundle: ReferenceBundle, run: Annotate) -> Iterator[list[str]]:
    if part[0].startswith("no_such"):
        yield part[0].rstrip("\n").split("\t")
        return
    yield from run(HEADER + "".join(part), bundle).records


def test_a_bundle_without_packed_genome_and_blocks_gives_the_same(
    by_contig: dict[str, list[str]], demo_bundle: ReferenceBundle, run: Annotate, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    shutil.copytree(demo_bundle.path, older)
    manifest = json.loads((older / MANIFEST_NAME).read_text())
    for name in list(manifest["files"]):
        if name.endswith((".2b", ".npy", ".tsv.gz", "genes.tsv", "genes.gff3.gz")):
            (older / name).unlink()
            del manifest["files"][name]
    (older / MANIFEST_NAME).write_text(json.dumps(manifest))
    text = HEADER + "".join(line for lines in by_contig.values() for line in lines)
    assert run(text, ReferenceBundle.open(older)).records == run(text, demo_bundle).records
