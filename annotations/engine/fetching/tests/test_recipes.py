from pathlib import Path

import pytest

from annotations.engine.fetching.errors import FetchError
from annotations.engine.fetching.plan import Plan, make_plan
from annotations.engine.fetching.recipe import catalogue_names, load_recipe

SMALLEST = """
name = "mine"
release = "7"
chromosomes = ["1", "2", "MT"]
[genome]
url = "https://example.org/r{release}/genome.fa.gz"
[genes]
url = "https://example.org/r{release}/genes.gff3.gz"
"""
SCORES = """
[[sources]]
name = "cadd"
format = "tsv"
url = "https://example.org/cadd.tsv.gz"
[sources.table]
contig = "#Chrom"
start = "Pos"
ref = "Ref"
alt = "Alt"
fields = [{ column = "PHRED", name = "PHRED", type = "Float" }]
"""


def _recipe_file(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def _plan(name: str, *chromosomes: str, added: tuple[str, ...] = (), left_out: tuple[str, ...] = ()) -> Plan:
    recipe = load_recipe(name)
    return make_plan(recipe, recipe.chosen_chromosomes(chromosomes), recipe.chosen_sources(added, left_out))


def test_the_catalogue_has_the_references_that_people_use() -> None:
    assert catalogue_names() == ["GRCh37", "GRCh38", "GRCm39"]


@pytest.mark.parametrize("name", catalogue_names())
def test_every_recipe_of_the_catalogue_can_be_planned_whole_and_by_chromosome(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    every_source = recipe.chosen_sources([source.name for source in recipe.sources], [])
    for chromosomes in ((), recipe.chromosomes[-2:]):
        plan = make_plan(recipe, chromosomes, every_source)
        assert all(one.url and one.url.startswith("https://") for one in plan.files)
        assert not any("{" in f"{one.url}{one.checksum}{one.index}" for one in plan.files)


@pytest.mark.parametrize("name", ["GRCh38", "GRCh37"])
def test_every_human_chromosome_has_its_refseq_accession(name: str) -> None:
    recipe = load_recipe(name)
    assert tuple(recipe.accessions) == recipe.chromosomes
    assert len(set(recipe.accessions.values())) == 25


def test_a_whole_genome_takes_the_publishers_whole_files() -> None:
    urls = [one.url for one in _plan("GRCh38", left_out=("gnomad_exomes",)).files]
    ensembl = "https://ftp.ensembl.org/pub/release-115"
    assert urls[:4] == [
        f"{ensembl}/fasta/homo_sapiens/dna/Homo_sapiens.GRCh38.dna.primary_assembly.fa.gz",
        f"{ensembl}/gff3/homo_sapiens/Homo_sapiens.GRCh38.115.gff3.gz",
        "https://ftp.ncbi.nlm.nih.gov/snp/archive/b157/VCF/GCF_000001405.40.gz",
        "https://ftp.ncbi.nlm.nih.gov/pub/clinvar/vcf_GRCh38/clinvar.vcf.gz",
    ]


def test_chromosomes_alone_take_their_own_files_or_their_part_of_the_whole() -> None:
    plan = _plan("GRCh38", "chrM", "chr21")
    assert plan.chromosomes == ("21", "MT")
    assert plan.version == "115-21-MT"
    assert [one.title for one in plan.files_of("genome")] == [
        "genome: Homo_sapiens.GRCh38.dna.chromosome.21.fa.gz",
        "genome: Homo_sapiens.GRCh38.dna.chromosome.MT.fa.gz",
    ]
    assert plan.files_of("dbsnp")[0].contigs == ("NC_000021.9", "NC_012920.1")
    assert plan.files_of("clinvar")[0].contigs == ("21", "MT")
    (gnomad,) = plan.files_of("gnomad_exomes")
    assert gnomad.url is not None
    assert gnomad.url.endswith("/4.1/vcf/exomes/gnomad.exomes.v4.1.sites.chr21.vcf.bgz")


def test_a_source_without_the_chosen_chromosomes_is_left_out() -> None:
    assert "gnomad_exomes" not in [source.name for source in _plan("GRCh38", "MT").sources]


def test_releases_are_overridden_for_genes_and_sources_apart() -> None:
    recipe = load_recipe("GRCh38", {"": "114", "clinvar": "20251101"})
    clinvar = next(source for source in recipe.sources if source.name == "clinvar")
    assert recipe.genes.url is not None
    assert recipe.genes.url.endswith("release-114/gff3/homo_sapiens/Homo_sapiens.GRCh38.114.gff3.gz")
    assert clinvar.address.url == (
        "https://ftp.ncbi.nlm.nih.gov/pub/clinvar/vcf_GRCh38/archive_2.0/2025/clinvar_20251101.vcf.gz"
    )


def test_large_sources_come_only_when_they_are_asked_for() -> None:
    assert "gnomad_genomes" not in [source.name for source in _plan("GRCh38").sources]
    assert "gnomad_genomes" in [source.name for source in _plan("GRCh38", added=("gnomad_genomes",)).sources]


def test_unknown_references_chromosomes_and_sources_are_told_with_the_known_ones() -> None:
    with pytest.raises(FetchError, match="It has: GRCh37, GRCh38, GRCm39"):
        load_recipe("hg18")
    with pytest.raises(FetchError, match=r"no chromosome 23\. It has: 1, 2"):
        _plan("GRCh38", "23")
    with pytest.raises(FetchError, match=r"no source spliceai\. It has: dbsnp, clinvar"):
        _plan("GRCh38", left_out=("spliceai",))
    with pytest.raises(FetchError, match="no source is named clinvr"):
        load_recipe("GRCh38", {"clinvr": "20251101"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", r"mine\.toml is not TOML"),
        (SMALLEST.replace('name = "mine"', ""), "name is missing"),
        (SMALLEST.replace('"7"', "7"), "release is 7, expected a text"),
        (SMALLEST.replace("url", "urll"), r"\[genome\]: unknown key urll"),
        (SMALLEST.replace("{release}", "{relase}"), "placeholder that is not known here"),
        (
            SMALLEST + SCORES.replace('"tsv"', '"xml"'),
            r"cadd: format is 'xml', expected one of vcf, tsv, interv",
        ),
        (SMALLEST + SCORES.replace('format = "tsv"', ""), "says how it is laid out"),
        (SMALLEST + SCORES.replace('alt = "Alt"', ""), "alt is None, expected a column"),
        (
            SMALLEST + SCORES.replace("Float", "Real"),
            "type is 'Real', expected one of Float, Integer, String",
        ),
        (SMALLEST + SCORES + SCORES, "two sources are named cadd"),
        (SMALLEST + "[[sources]]\nname = 'x'\n", "expected url or chromosome_url, or else file"),
    ],
)
def test_a_faulty_recipe_is_told_where_and_what(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=message):
        load_recipe(_recipe_file(tmp_path, text))


def test_a_recipe_names_files_beside_itself(tmp_path: Path) -> None:
    text = SMALLEST + SCORES.replace('url = "https://example.org/cadd.tsv.gz"', 'file = "scores/cadd.tsv.gz"')
    recipe = load_recipe(_recipe_file(tmp_path, text))
    assert recipe.sources[0].address.file == tmp_path / "scores/cadd.tsv.gz"
