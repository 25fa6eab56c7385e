"""One file on several hosts: what comes out is what one host makes of it."""

import shutil
from itertools import pairwise
from pathlib import Path

import polars as pl
import pysam
import pytest

from annotations.engine import plan as plan_module
from annotations.engine import scatter
from annotations.engine.annotate import annotate
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.cutting import BYTES_LIKE_A_RECORD, cut_for_hosts, work_of
from annotations.engine.demo import DemoFiles
from annotations.engine.layout import PLAN_NAME, Plan, Segment, Summary


def nobody_listens(*_: object) -> None:
    pass


def hosts(
    source: Path, bundle: ReferenceBundle, folder: Path, *, shard_records: int, haplotype_aware: bool = False
) -> tuple[Plan, Summary]:
    """Annotate with a folder of its own for every step, as if each were on another machine."""
    first, last = folder / "planner", folder / "gatherer"
    plan = scatter.plan_shards(
        source,
        bundle,
        first,
        shard_records=shard_records,
        haplotype_aware=haplotype_aware,
        progress=nobody_listens,
    )
    last.mkdir()
    shutil.copy(first / PLAN_NAME, last)
    for shard in reversed(plan.shards):
        host = folder / f"host-{shard.number}"
        host.mkdir()
        shutil.copy(first / PLAN_NAME, host)
        shutil.move(scatter.write_input(first, plan, shard.number), host)
        output = scatter.annotate_input(host, shard.number, bundle, progress=nobody_listens)
        shutil.move(output, last)
        shutil.rmtree(host)
    shutil.rmtree(first)
    return plan, scatter.gather_shards(last, bundle, folder / "result", progress=nobody_listens)


def text_of(summary: Summary) -> bytes:
    with pysam.BGZFile(summary.files["vcf"], "r", None) as file:
        return bytes(file.read())


def assert_same(scattered: Summary, whole: Summary) -> None:
    assert text_of(scattered) == text_of(whole)
    assert Path(scattered.files["log"]).read_bytes() == Path(whole.files["log"]).read_bytes()
    assert pl.read_parquet(scattered.files["table"]).equals(pl.read_parquet(whole.files["table"]))
    counts = [
        {name: value for name, value in one.as_json().items() if name not in {"files", "seconds"}}
        for one in (scattered, whole)
    ]
    assert counts[0] == counts[1]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of a few dozen records, so that a small file has enough of them to be cut."""
    monkeypatch.setattr(plan_module, "SEGMENT_BYTES", 4096)


def test_the_demo_scattered_is_the_demo_whole(
    demo_files: DemoFiles, demo_bundle: ReferenceBundle, tmp_path: Path, small_blocks: None
) -> None:
    source = demo_files.sample
    plan, scattered = hosts(source, demo_bundle, tmp_path / "hosts", shard_records=100)
    assert len(plan.shards) >= 4
    assert_same(scattered, annotate(source, demo_bundle, tmp_path / "whole"))


def test_the_mitochondrion_has_a_shard_of_its_own(
    demo_files: DemoFiles, demo_bundle: ReferenceBundle, tmp_path: Path
) -> None:
    plan = scatter.plan_shards(
        demo_files.sample,
        demo_bundle,
        tmp_path / "plan",
        shard_records=1_000_000,
        haplotype_aware=False,
        progress=nobody_listens,
    )
    names = [{plan.contigs[segment.contig][1] for segment in shard.segments} for shard in plan.shards]
    assert {"MT"} in names
    assert len(names) == 2


def test_haplotype_aware_results_do_not_depend_on_the_shards(
    demo_files: DemoFiles, demo_bundle: ReferenceBundle, tmp_path: Path, small_blocks: None
) -> None:
    source = demo_files.sample
    plan, scattered = hosts(source, demo_bundle, tmp_path / "hosts", shard_records=100, haplotype_aware=True)
    for before, after in pairwise(plan.shards):
        assert before.segments[-1].contig != after.segments[0].contig, "a contig was divided"
    whole = annotate(source, demo_bundle, tmp_path / "whole", haplotype_aware=True)
    assert_same(scattered, whole)


def test_real_variants_scattered_are_what_they_are_whole(
    shared_data: Path, grch38_chr21: ReferenceBundle, tmp_path: Path
) -> None:
    source = shared_data / "grch38_chr21" / "PG_NA12878_hg38-chr21.vcf.gz"
    plan, scattered = hosts(source, grch38_chr21, tmp_path / "hosts", shard_records=25_000)
    assert len(plan.shards) >= 3
    assert_same(scattered, annotate(source, grch38_chr21, tmp_path / "whole"))


def test_a_mitochondrion_scattered_is_what_it_is_whole(
    shared_data: Path, mitochondrion: ReferenceBundle, tmp_path: Path, small_blocks: None
) -> None:
    source = shared_data / "gas" / "free_1.vcf"
    plan, scattered = hosts(source, mitochondrion, tmp_path / "hosts", shard_records=400)
    assert len(plan.shards) >= 3
    assert_same(scattered, annotate(source, mitochondrion, tmp_path / "whole"))


def segments(*contigs: tuple[int, int], segment_bytes: int = 0) -> list[Segment]:
    """For each contig: so many segments of 100 records."""
    numbers = [contig for contig, count in contigs for _ in range(count)]
    return [
        Segment(contig, 100, at * segment_bytes, (at + 1) * segment_bytes)
        for at, contig in enumerate(numbers)
    ]


def test_shards_have_equal_work_and_follow_each_other() -> None:
    given = segments((0, 50), (1, 30), (2, 20))
    shards = cut_for_hosts(given, 2_600, whole_contigs=False)
    assert [shard.records for shard in shards] == [2_500] * 4
    assert [shard.first_record for shard in shards] == [0, 2_500, 5_000, 7_500]
    assert [segment for shard in shards for segment in shard.segments] == given


def test_columns_of_samples_make_smaller_shards() -> None:
    given = segments((0, 100), segment_bytes=100 * BYTES_LIKE_A_RECORD)
    assert work_of(given[0]) == 200
    assert len(cut_for_hosts(given, 5_000, whole_contigs=False)) == 4


def test_a_contig_apart_is_divided_but_never_shared() -> None:
    shards = cut_for_hosts(segments((0, 3), (1, 8), (2, 3)), 400, whole_contigs=False, apart={1})
    assert [[segment.contig for segment in shard.segments] for shard in shards] == [
        [0, 0, 0],
        [1, 1, 1, 1],
        [1, 1, 1, 1],
        [2, 2, 2],
    ]


def test_whole_contigs_are_put_together_up_to_the_size_of_a_shard() -> None:
    shards = cut_for_hosts(segments((0, 9), (1, 2), (2, 2), (3, 5)), 1_000, whole_contigs=True)
    assert [[*dict.fromkeys(segment.contig for segment in shard.segments)] for shard in shards] == [
        [0],
        [1, 2, 3],
    ]
