"""One file on several hosts: what comes out is what one host makes of it, byte for byte."""

import filecmp
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from annotations.engine import cutting, scatter
from annotations.engine import plan as plan_module
from annotations.engine.annotate import annotate
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.cutting import BYTES_LIKE_A_RECORD, cut_for_hosts, work_of
from annotations.engine.demo import DemoFiles
from annotations.engine.layout import PLAN_NAME, Chunk, Plan, Segment, Summary


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


def assert_same(scattered: Summary, whole: Summary) -> None:
    assert scattered.files.keys() == whole.files.keys() == {"vcf", "index", "log", "table"}
    same = [filecmp.cmp(scattered.files[kind], path, shallow=False) for kind, path in whole.files.items()]
    assert dict(zip(whole.files, same, strict=True)) == dict.fromkeys(whole.files, True)
    counts = [
        {name: value for name, value in one.as_json().items() if name not in {"files", "seconds"}}
        for one in (scattered, whole)
    ]
    assert counts[0] == counts[1]
    assert scattered.seconds > 0


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of a few dozen records, so that a small file has enough of them to be cut."""
    monkeypatch.setattr(plan_module, "SEGMENT_BYTES", 2048)
    monkeypatch.setattr(cutting, "CHUNK_BYTES", 4096)
    monkeypatch.setattr(cutting, "PIECE_RECORDS", 80)  # a chunk has some thirty


def test_the_demo_is_the_same_wherever_it_is_cut(
    demo_files: DemoFiles, demo_bundle: ReferenceBundle, tmp_path: Path, small_blocks: None
) -> None:
    source = demo_files.sample
    whole = annotate(source, demo_bundle, tmp_path / "whole")
    numbers = set()
    for shard_records in (60, 170):
        folder = tmp_path / f"hosts-{shard_records}"
        plan, scattered = hosts(source, demo_bundle, folder, shard_records=shard_records)
        numbers.add(len(plan.shards))
        assert_same(scattered, whole)
    assert len(numbers) == 2
    assert min(numbers) > 1


def test_processes_of_one_host_make_what_one_process_makes(
    demo_files: DemoFiles,
    demo_bundle: ReferenceBundle,
    tmp_path: Path,
    small_blocks: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = annotate(demo_files.sample, demo_bundle, tmp_path / "one")
    monkeypatch.setattr(plan_module, "SMALL_SHARD_RECORDS", 100)
    assert_same(annotate(demo_files.sample, demo_bundle, tmp_path / "three", cores=3), whole)


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
    names = [{plan.contigs[contig][1] for contig in shard.contigs} for shard in plan.shards]
    assert {"MT"} in names
    assert len(names) == 2


def test_haplotype_aware_results_do_not_depend_on_the_shards(
    demo_files: DemoFiles, demo_bundle: ReferenceBundle, tmp_path: Path, small_blocks: None
) -> None:
    source = demo_files.sample
    plan, scattered = hosts(source, demo_bundle, tmp_path / "hosts", shard_records=100, haplotype_aware=True)
    for before, after in pairwise(plan.shards):
        assert not after.chunks[0].follows_on(before.chunks[-1]), "a contig was divided"
    whole = annotate(source, demo_bundle, tmp_path / "whole", haplotype_aware=True)
    assert_same(scattered, whole)


def test_real_variants_scattered_are_what_they_are_whole(
    shared_data: Path, grch38_chr21: ReferenceBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "PIECE_RECORDS", 20_000)
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


@pytest.fixture
def a_piece_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "PIECE_RECORDS", 100)


def segments(*contigs: tuple[int, int], records: int = 100, segment_bytes: int = 0) -> list[Segment]:
    """For each contig: so many segments."""
    numbers = [contig for contig, count in contigs for _ in range(count)]
    return [
        Segment(contig, records, at * segment_bytes, (at + 1) * segment_bytes)
        for at, contig in enumerate(numbers)
    ]


def chunks(*contigs: tuple[int, int], segment_bytes: int = 0) -> list[Chunk]:
    """For each contig: so many chunks of 100 records."""
    return [Chunk((segment,)) for segment in segments(*contigs, segment_bytes=segment_bytes)]


def contigs_of(chunks: list[Chunk]) -> list[list[int]]:
    return [[segment.contig for segment in chunk.segments] for chunk in chunks]


def test_small_contigs_share_chunks() -> None:
    given = segments((0, 1), (1, 1), (2, 1), records=15_000)
    assert contigs_of(cutting.cut_into_chunks(given)) == [[0, 1], [2]]


def test_large_contigs_and_those_apart_share_no_chunk() -> None:
    given = segments((0, 1), (1, 3), (2, 1), (3, 1), (4, 1), segment_bytes=600_000)
    assert contigs_of(cutting.cut_into_chunks(given, apart={3})) == [[0], [1, 1], [1], [2], [3], [4]]


def test_shards_have_equal_work_and_follow_each_other(a_piece_a_chunk: None) -> None:
    given = chunks((0, 50), (1, 30), (2, 20))
    shards = cut_for_hosts(given, 2_600, whole_contigs=False)
    assert [shard.records for shard in shards] == [2_500] * 4
    assert [shard.first_record for shard in shards] == [0, 2_500, 5_000, 7_500]
    assert [chunk for shard in shards for chunk in shard.chunks] == given


def test_columns_of_samples_make_smaller_shards(a_piece_a_chunk: None) -> None:
    given = chunks((0, 100), segment_bytes=100 * BYTES_LIKE_A_RECORD)
    assert work_of(given[0]) == 200
    assert len(cut_for_hosts(given, 5_000, whole_contigs=False)) == 4


def test_a_contig_apart_is_divided_but_never_shared(a_piece_a_chunk: None) -> None:
    shards = cut_for_hosts(chunks((0, 3), (1, 8), (2, 3)), 400, whole_contigs=False, apart={1})
    assert [[contig for (contig,) in contigs_of([*shard.chunks])] for shard in shards] == [
        [0, 0, 0],
        [1, 1, 1, 1],
        [1, 1, 1, 1],
        [2, 2, 2],
    ]


def test_whole_contigs_are_put_together_up_to_the_size_of_a_shard() -> None:
    shards = cut_for_hosts(chunks((0, 9), (1, 2), (2, 2), (3, 5)), 1_000, whole_contigs=True)
    assert [shard.contigs for shard in shards] == [
        [0],
        [1, 2, 3],
    ]


def test_a_shard_has_whole_pieces_of_the_table_wherever_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "PIECE_RECORDS", 500)
    monkeypatch.setattr(cutting, "PIECE_BYTES", 3_500)
    given = chunks((0, 12), (1, 3), (2, 9), segment_bytes=1_000)
    whole = [len(piece) for piece in cutting.cut_into_pieces(given)]
    assert whole == [3, 3, 3, 3, 3, 3, 3, 3]
    for shard_records in (400, 700, 1_000):
        shards = cut_for_hosts(given, shard_records, whole_contigs=False)
        assert len(shards) > 2
        assert [count for shard in shards for count in shard.pieces] == whole
