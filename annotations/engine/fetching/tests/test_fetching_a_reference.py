"""From a recipe's official addresses to a bundle that can be annotated with."""

import base64
import gzip
import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pysam
import pytest

from annotations.engine.bundle import BundleError, ReferenceBundle
from annotations.engine.fetching.cache import Cache
from annotations.engine.fetching.checksums import bsd_sum
from annotations.engine.fetching.display import Display
from annotations.engine.fetching.errors import FetchError
from annotations.engine.fetching.fetch import Fetcher
from annotations.engine.fetching.plan import Plan, make_plan
from annotations.engine.fetching.recipe import load_recipe
from annotations.engine.fetching.tests.conftest import Bench
from annotations.engine.fetching.tests.publisher import Fault, Publisher

ENSEMBL = "https://ftp.ensembl.org/pub/release-115"
FASTA = f"{ENSEMBL}/fasta/homo_sapiens/dna"
GFF = f"{ENSEMBL}/gff3/homo_sapiens"
DBSNP = "https://ftp.ncbi.nlm.nih.gov/snp/archive/b157/VCF/GCF_000001405.40.gz"
CLINVAR = "https://ftp.ncbi.nlm.nih.gov/pub/clinvar/vcf_GRCh38/clinvar.vcf.gz"
GNOMAD = "https://storage.googleapis.com/gcp-public-data--gnomad/release"
GNOMAD_21 = f"{GNOMAD}/4.1/vcf/exomes/gnomad.exomes.v4.1.sites.chr21.vcf.bgz"
GNOMAD_MT = f"{GNOMAD}/3.1/vcf/genomes/gnomad.genomes.v3.1.sites.chrM.vcf.bgz"
CYTOBAND = "https://hgdownload.soe.ucsc.edu/goldenPath/hg38/database/cytoBand.txt.gz"
CLINVAR_INFO = ("CLNSIG", "CLNREVSTAT", "CLNDN", "CLNSIGCONF", "ALLELEID")
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
MT_PHASE = "MT\t8860\trs2001031\tA\tG\t.\t.\t"
GENE_MODEL_SOURCE = "Homo_sapiens.GRCh38.115.chromosome.21.gff3.gz"


class Official:
    """Puts real data at official addresses, as their publishers lay them out."""

    def __init__(self, publisher: Publisher, folder: Path, real_data: Path) -> None:
        self.publisher = publisher
        self.folder = folder
        folder.mkdir()
        chr21, mt = real_data / "grch38_chr21", real_data / "mt"
        self.known = [
            line.split("\t") for line in _text(chr21 / "known.chr21.vcf.gz").splitlines() if line[0] != "#"
        ][:5000]
        self._ensembl(FASTA, "Homo_sapiens.GRCh38.dna.chromosome.{}.fa.gz", {
            "21": (chr21 / "GRCh38.chr21.slice_masked.fa.gz").read_bytes(),
            "MT": gzip.compress((mt / "MT.fa").read_bytes()),
        })  # fmt: skip
        self._ensembl(GFF, "Homo_sapiens.GRCh38.115.chromosome.{}.gff3.gz", {
            "21": (chr21 / "Ensembl.GRCh38.chr21.gff3.gz").read_bytes(),
            "MT": gzip.compress((mt / "MT.gff3").read_bytes()),
        })  # fmt: skip
        self._dbsnp()
        self._clinvar()
        self._gnomad()
        publisher.put(
            CYTOBAND, gzip.compress(b"chr20\t0\t9\tp1\tgneg\nchr21\t24000000\t28000000\tq21.2\tgneg\n")
        )

    def _ensembl(self, folder: str, name: str, contents: dict[str, bytes]) -> None:
        sums = ["00001 2 README"]
        for chromosome, content in contents.items():
            self.publisher.put(f"{folder}/{name.format(chromosome)}", content)
            path = self.folder / "content"
            path.write_bytes(content)
            sums.append(f"{bsd_sum(path)} {name.format(chromosome)}")
        self.publisher.put(f"{folder}/CHECKSUMS", "\n".join(sums).encode())

    def _dbsnp(self) -> None:
        lines = [
            "##dbSNP_BUILD_ID=157",
            '##INFO=<ID=COMMON,Number=0,Type=Flag,Description="common">',
            COLUMNS,
        ]
        lines += [f"NC_000020.11\t{pos}\trs{pos}\tA\tC\t.\t.\t." for pos in range(1, 3000)]
        lines += ["\t".join(("NC_000021.9", *one[1:5], ".", ".", "COMMON")) for one in self.known]
        lines += [f"NC_000022.11\t{pos}\trs{pos}\tA\tC\t.\t.\t." for pos in range(1, 3000)]
        lines += [MT_PHASE.replace("MT", "NC_012920.1", 1) + "COMMON"]
        self.put_vcf(DBSNP, lines, with_index=True)

    def _clinvar(self) -> None:
        info = [f'##INFO=<ID={name},Number=.,Type=String,Description="">' for name in CLINVAR_INFO[:-1]]
        info.append('##INFO=<ID=ALLELEID,Number=1,Type=Integer,Description="">')
        one = self.known[0]
        record = "\t".join(("21", one[1], "17", one[3], one[4], ".", ".", "CLNSIG=Benign;ALLELEID=3"))
        self.put_vcf(
            CLINVAR, ["##fileDate=2025-11-01", *info, COLUMNS, record, MT_PHASE + "CLNSIG=Benign"], True
        )

    def _gnomad(self) -> None:
        names = {source.name: source.info or () for source in load_recipe("GRCh38").sources}
        one = self.known[0]
        for url, source, record in (
            (
                GNOMAD_21,
                "gnomad_exomes",
                "\t".join(("chr21", one[1], ".", one[3], one[4], ".", ".", "AF=0.125")),
            ),
            (GNOMAD_MT, "gnomad_mt", MT_PHASE.replace("MT", "chrM", 1) + "AF_hom=0.75"),
        ):
            info = [f'##INFO=<ID={name},Number=A,Type=Float,Description="">' for name in names[source]]
            self.put_vcf(url, [*info, COLUMNS, record], with_index=False)
            page = self.publisher.pages[url]
            md5 = base64.b64encode(hashlib.md5(page.content).digest()).decode()  # noqa: S324 - Google's choice
            page.headers["x-goog-hash"] = f"crc32c=AAAAAA==,md5={md5}"

    def put_vcf(self, url: str, lines: Iterable[str], with_index: bool) -> None:
        plain = self.folder / "some.vcf"
        plain.write_text("\n".join(("##fileformat=VCFv4.2", *lines)) + "\n")
        packed = self.folder / "some.vcf.gz"
        pysam.tabix_compress(str(plain), str(packed), force=True)
        content = packed.read_bytes()
        self.publisher.put(url, content)
        if with_index:
            pysam.tabix_index(str(packed), preset="vcf", force=True)
            self.publisher.put(f"{url}.tbi", Path(f"{packed}.tbi").read_bytes())
            digest = hashlib.md5(content).hexdigest()  # noqa: S324 - NCBI's choice
            self.publisher.put(f"{url}.md5", f"{digest}  {url.rsplit('/', 1)[-1]}\n".encode())


@pytest.fixture
def official(publisher: Publisher, tmp_path: Path, real_data: Path) -> Official:
    return Official(publisher, tmp_path / "official", real_data)


def _text(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


def _plan(*chromosomes: str, left_out: tuple[str, ...] = ()) -> Plan:
    recipe = load_recipe("GRCh38")
    return make_plan(recipe, recipe.chosen_chromosomes(chromosomes), recipe.chosen_sources((), left_out))


def _fetcher(bench: Bench, tmp_path: Path, free_bytes: int = 10**12) -> Fetcher:
    display = Display(io.StringIO())
    return Fetcher(
        bench.client(), Cache(bench.folder), tmp_path / "references", display, lambda folder: free_bytes
    )


def _fetch(bench: Bench, tmp_path: Path, plan: Plan, **options: int) -> ReferenceBundle:
    fetcher = _fetcher(bench, tmp_path, **options)
    try:
        return fetcher.fetch(plan)
    finally:
        fetcher.client.close()


def _rows(path: Path | None) -> list[dict[str, object]]:
    assert path is not None
    return pl.read_parquet(path).to_dicts()


def test_two_chromosomes_of_grch38_are_fetched_verified_and_built_despite_faults_on_the_way(
    official: Official, publisher: Publisher, bench: Bench, tmp_path: Path
) -> None:
    publisher.pages[f"{FASTA}/Homo_sapiens.GRCh38.dna.chromosome.21.fa.gz"].faults = [
        Fault(cut_after=200_000),
        Fault(status=503),
        Fault(flip_at=10),
    ]
    bundle = _fetch(bench, tmp_path, _plan("21", "MT"))
    assert bundle.verify() == []
    assert (bundle.name, bundle.version) == ("GRCh38", "115-21-MT")
    assert [(one.name, one.length, one.genes) for one in bundle.contigs] == [
        ("21", 46_709_983, True),
        ("MT", 16_569, True),
    ]
    twenty_one, mt = bundle.contigs
    assert len(_rows(bundle.known("dbsnp", twenty_one))) >= 5000
    assert [row["id"] for row in _rows(bundle.known("dbsnp", mt))] == ["rs2001031"]
    assert [source.name for source in bundle.known_sources if source.gives_id] == ["dbsnp"]
    assert _rows(bundle.known("clinvar", twenty_one))[0]["clinvar_CLNSIG"] == "Benign"
    assert _rows(bundle.known("gnomad_exomes", twenty_one))[0]["gnomad_exomes_AF"] == 0.125
    assert _rows(bundle.known("gnomad_mt", mt))[0]["gnomad_mt_AF_hom"] == 0.75
    assert _rows(bundle.intervals("cytoband", twenty_one))[0]["band"] == "q21.2"
    assert not any(one.range is None for one in publisher.gets(DBSNP))
    _check_record(bundle)
    assert bench.files() == []  # the downloads are in the bundle now


def _check_record(bundle: ReferenceBundle) -> None:
    manifest = json.loads((bundle.path / "manifest.json").read_text())
    by_name = {one["url"].rsplit("/", 1)[-1]: one for one in manifest["downloads"]}
    assert by_name[GENE_MODEL_SOURCE]["checksum"].startswith("sum ")
    assert by_name["gnomad.exomes.v4.1.sites.chr21.vcf.bgz"]["checksum"].startswith("md5 ")
    assert by_name["GCF_000001405.40.gz"]["byte_ranges"]
    assert by_name["cytoBand.txt.gz"]["checksum"] is None
    assert all(len(one["sha256"]) == 64 and one["fetched_at"] for one in manifest["downloads"])


def test_a_fetch_that_fails_leaves_no_bundle_and_goes_on_from_what_came(
    official: Official, publisher: Publisher, bench: Bench, tmp_path: Path
) -> None:
    clinvar = publisher.pages[CLINVAR]
    clinvar.faults = [Fault(), *[Fault(status=500)] * 7]
    plan = _plan("MT", left_out=("dbsnp", "gnomad_mt"))
    with pytest.raises(FetchError, match=r"clinvar.*answered 500.*goes on where it stopped"):
        _fetch(bench, tmp_path, plan)
    assert not (tmp_path / "references").exists()
    clinvar.faults = []
    before = len(publisher.requests)
    assert _fetch(bench, tmp_path, plan).verify() == []
    fetched_again = {one.url for one in publisher.requests[before:] if one.method == "GET"}
    assert not any(url.endswith((".fa.gz", ".gff3.gz")) for url in fetched_again)


def test_too_little_room_is_told_before_anything_is_downloaded(
    official: Official, publisher: Publisher, bench: Bench, tmp_path: Path
) -> None:
    with pytest.raises(
        FetchError, match=r"no room.*about \d+ MB are needed, 1 MB are free.*genome: Homo_sap"
    ):
        _fetch(bench, tmp_path, _plan("21", "MT"), free_bytes=10**6)
    assert not any(one.url.endswith(".fa.gz") and one.method == "GET" for one in publisher.requests)


def test_a_field_that_the_vcf_lacks_is_told_before_anything_is_downloaded(
    official: Official, publisher: Publisher, bench: Bench, tmp_path: Path
) -> None:
    info = '##INFO=<ID=CLNSIG,Number=.,Type=String,Description="">'
    official.put_vcf(CLINVAR, [info, COLUMNS, "21\t25000001\t1\tC\tT\t.\t.\t."], True)
    with pytest.raises(BundleError, match=r"clinvar\.vcf\.gz declares no INFO field CLNREVSTAT, CLNDN"):
        _fetch(bench, tmp_path, _plan("21", left_out=("dbsnp", "gnomad_exomes")))
    assert not any(one.url.endswith(".fa.gz") and one.method == "GET" for one in publisher.requests)


def test_a_bundle_that_is_there_is_not_fetched_again(
    publisher: Publisher, bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "references/GRCh38/115-MT").mkdir(parents=True)
    publisher.put(CYTOBAND, b"")
    with pytest.raises(BundleError, match="exists"):
        _fetch(bench, tmp_path, _plan("MT"))
    assert publisher.requests == []


def test_two_fetches_do_not_share_a_cache_at_the_same_time(bench: Bench, tmp_path: Path) -> None:
    bench.publisher.put(CYTOBAND, b"")
    with (
        Cache(bench.folder).held(),
        pytest.raises(FetchError, match=r"Another fetch is downloading.*--cache"),
    ):
        _fetch(bench, tmp_path, _plan("MT"))


def test_the_plan_in_words_names_every_file_its_size_and_how_it_is_verified(
    official: Official, bench: Bench, tmp_path: Path
) -> None:
    fetcher = _fetcher(bench, tmp_path)
    lines = fetcher.describe_in_words(_plan("21"))
    fetcher.client.close()
    assert lines[0] == f"genome: {FASTA}/Homo_sapiens.GRCh38.dna.chromosome.21.fa.gz: 495 kB, sum"
    assert any(line.startswith(f"dbsnp: {DBSNP}, only NC_000021.9: ") for line in lines)
    assert "left out: gnomad_genomes (gnomAD genomes: allele frequencies (Broad Institute))" in lines
    assert lines[-1].endswith("for GRCh38/115-21")
