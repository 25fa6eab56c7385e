"""Some contigs of a large indexed VCF arrive without the rest of it."""

import gzip
import random
from pathlib import Path

import pysam
import pytest

from annotations.engine.fetching.errors import FetchError
from annotations.engine.fetching.regions import Span, fetch_spans, spans_by_contig, spans_to_read
from annotations.engine.fetching.tests.conftest import Bench
from annotations.engine.fetching.tests.publisher import Fault, Publisher

URL = "https://ftp.ncbi.nlm.nih.gov/snp/all.vcf.gz"
CONTIGS = ("1", "2", "3", "4")


@pytest.fixture(scope="module")
def vcf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Contigs of several blocks each, which begin and end within blocks."""
    path = tmp_path_factory.mktemp("regions") / "all.vcf"
    rng = random.Random(5)  # noqa: S311 - the same in every run
    lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={name}>" for name in CONTIGS)]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    for name in CONTIGS:
        lines += [f"{name}\t{pos * 10}\trs{rng.getrandbits(60)}\tA\tC\t.\t.\t." for pos in range(1, 12_000)]
    path.write_text("\n".join(lines) + "\n")
    pysam.tabix_compress(str(path), f"{path}.gz")
    return Path(f"{path}.gz")


def _index(vcf: Path, csi: bool) -> bytes:
    pysam.tabix_index(str(vcf), preset="vcf", force=True, csi=csi)
    return vcf.with_name(vcf.name + (".csi" if csi else ".tbi")).read_bytes()


def _lines(text: bytes, wanted: tuple[str, ...]) -> list[bytes]:
    return [
        line for line in text.splitlines() if line.startswith(b"#") or line.split(b"\t")[0].decode() in wanted
    ]


@pytest.mark.parametrize("csi", [False, True], ids=["tbi", "csi"])
@pytest.mark.parametrize("wanted", [("1",), ("4",), ("2", "3"), ("4", "1"), CONTIGS])
def test_the_header_and_the_wanted_contigs_arrive_and_nothing_else(
    vcf: Path, publisher: Publisher, bench: Bench, wanted: tuple[str, ...], csi: bool
) -> None:
    publisher.put(URL, vcf.read_bytes())
    spans = spans_to_read(spans_by_contig(_index(vcf, csi), URL), wanted)
    path, download = fetch_spans(downloads := bench.downloads(), downloads.client.describe(URL), spans)
    assert gzip.decompress(path.read_bytes()).splitlines() == _lines(
        gzip.decompress(vcf.read_bytes()), wanted
    )
    assert download.byte_ranges[0][0] == 0
    if len(wanted) == 1:
        assert sum(one.sent_bytes for one in publisher.gets(URL)) < len(vcf.read_bytes()) * 2 / 3
    downloads.client.close()


def test_the_pieces_are_gone_and_the_second_time_costs_nothing(
    vcf: Path, publisher: Publisher, bench: Bench
) -> None:
    publisher.put(URL, vcf.read_bytes())
    spans = spans_to_read(spans_by_contig(_index(vcf, False), URL), ["2"])
    downloads = bench.downloads()
    path, first = fetch_spans(downloads, downloads.client.describe(URL), spans)
    asked = len(publisher.gets(URL))
    assert fetch_spans(downloads, downloads.client.describe(URL), spans) == (path, first)
    assert len(publisher.gets(URL)) == asked
    assert bench.files() == [path.name, f"{path.name}.json"]
    downloads.client.close()


def test_a_cut_and_a_damaged_block_are_mended(vcf: Path, publisher: Publisher, bench: Bench) -> None:
    spans = spans_to_read(spans_by_contig(_index(vcf, False), URL), ["3"])
    publisher.put(URL, vcf.read_bytes(), faults=[Fault(), Fault(cut_after=9000), Fault(flip_at=30_000)])
    path, _ = fetch_spans(downloads := bench.downloads(), downloads.client.describe(URL), spans)
    assert gzip.decompress(path.read_bytes()).splitlines() == _lines(
        gzip.decompress(vcf.read_bytes()), ("3",)
    )
    assert "arrived damaged" in " ".join(bench.reports)
    downloads.client.close()


def test_an_index_of_another_version_is_found_out(vcf: Path, publisher: Publisher, bench: Bench) -> None:
    spans = spans_to_read(spans_by_contig(_index(vcf, False), URL), ["3"])
    publisher.put(URL, b"\x00" * 77 + vcf.read_bytes())
    downloads = bench.downloads()
    with pytest.raises(FetchError, match=r"arrived damaged.*index may be of another version"):
        fetch_spans(downloads, downloads.client.describe(URL), spans)
    downloads.client.close()


def test_a_file_that_changed_after_its_index_was_read_is_not_mixed(
    vcf: Path, publisher: Publisher, bench: Bench
) -> None:
    spans = spans_to_read(spans_by_contig(_index(vcf, False), URL), ["3"])
    publisher.put(URL, vcf.read_bytes())
    downloads = bench.downloads()
    remote = downloads.client.describe(URL)
    publisher.put(URL, vcf.read_bytes() + b"more")
    with pytest.raises(FetchError, match="has changed since its index was read"):
        fetch_spans(downloads, remote, spans)
    downloads.client.close()


def test_a_server_without_ranges_is_told_of(vcf: Path, publisher: Publisher, bench: Bench) -> None:
    spans = spans_to_read(spans_by_contig(_index(vcf, False), URL), ["3"])
    publisher.put(URL, vcf.read_bytes(), every_time=Fault(ignores_range=True))
    downloads = bench.downloads()
    with pytest.raises(FetchError, match="fetch without --chromosomes"):
        fetch_spans(downloads, downloads.client.describe(URL), spans)
    downloads.client.close()


def test_a_table_without_a_header_has_none_to_read() -> None:
    assert spans_to_read({"1": Span(0, 9), "2": Span(9, 20)}, ["2", "1"]) == [Span(0, 9), Span(9, 20)]


@pytest.mark.parametrize(
    "content", [b"", b"<html>", gzip.compress(b"BAI\x01", mtime=0), gzip.compress(b"TBI\x01abc", mtime=0)]
)
def test_what_is_no_index_is_refused(content: bytes) -> None:
    with pytest.raises(FetchError, match=r"tabix index|tbi or \.csi"):
        spans_by_contig(content, "https://example.org/x.tbi")
