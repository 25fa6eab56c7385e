import gzip
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from annotations.engine.building import BundleRecipe, build_bundle
from annotations.engine.bundle import BundleError, ReferenceBundle
from annotations.engine.child import Step, run_all
from annotations.engine.tests.sources import (
    CDS,
    EXONS,
    GENE,
    GFF_LINES,
    TRANSCRIPT,
    Sources,
    fasta_text,
    gff_text,
)


def _transcripts(bundle: ReferenceBundle, contig: str = "1") -> list[dict[str, Any]]:
    found = bundle.contig(contig)
    assert found is not None
    path = bundle.transcripts(found)
    assert path is not None
    return pl.read_parquet(path).to_dicts()


def _slice_lines(bundle: ReferenceBundle) -> list[str]:
    path = bundle.genes_gff(bundle.contigs[0])
    assert path is not None
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def test_a_transcript_has_its_gene_exons_coding_span_and_versions(sources: Sources) -> None:
    (row,) = _transcripts(sources.build())
    assert row == {
        "transcript_id": "T1.2",
        "transcript": "T1",
        "gene_id": "G1",
        "symbol": "FIRST",
        "biotype": "protein_coding",
        "strand": 1,
        "start": 101,
        "end": 400,
        "exon_starts": [101, 301],
        "exon_ends": [200, 400],
        "cds_start": 151,
        "cds_end": 350,
        "cds_phase": 0,
        "protein_id": "P1.3",
        "canonical": False,
        "mane_select": None,
    }


@pytest.mark.parametrize(
    ("attributes", "canonical", "mane"),
    [
        ("tag=basic", False, None),
        ("tag=basic,Ensembl_canonical", True, None),
        ("tag=gencode_basic,Ensembl_canonical,MANE_Select", True, "T1.2"),
        ("tag=MANE_Select;Dbxref=RefSeq:NM_000484.4,HGNC:620", False, "NM_000484.4"),
        ("tag=MANE_Plus_Clinical;note=Ensembl_canonical", False, None),
    ],
)
def test_canonical_and_mane_come_from_tags(
    sources: Sources, attributes: str, canonical: bool, mane: str | None
) -> None:
    sources.write("genes.gff3", gff_text((GENE, f"{TRANSCRIPT};{attributes}", *EXONS, *CDS)))
    (row,) = _transcripts(sources.build())
    assert (row["canonical"], row["mane_select"]) == (canonical, mane)


@pytest.mark.parametrize(("strand", "phase"), [("+", 2), ("-", 1)])
def test_the_phase_is_that_of_the_coding_part_that_is_translated_first(
    sources: Sources, strand: str, phase: int
) -> None:
    first, second = (line.split("\t") for line in CDS)
    first[7], second[7] = "2", "1"
    lines = [line.split("\t") for line in (GENE, TRANSCRIPT, *EXONS)] + [second, first]
    sources.write("genes.gff3", gff_text("\t".join([*line[:6], strand, *line[7:]]) for line in lines))
    (row,) = _transcripts(sources.build())
    assert row["cds_phase"] == phase


def test_a_slice_keeps_the_lines_that_csq_reads_sorted_and_unchanged(sources: Sources) -> None:
    region = "1\tx\tbiological_region\t1\t50\t.\t.\t.\texternal_name=oe %3D 0.75"
    comment = "###"
    sources.write("genes.gff3", gff_text((*CDS, region, *EXONS, comment, TRANSCRIPT, GENE)))
    lines = _slice_lines(sources.build())
    assert lines[0] == "##gff-version 3"
    assert sorted(lines[1:]) == sorted(GFF_LINES)
    starts = [int(line.split("\t")[3]) for line in lines[1:]]
    assert starts == sorted(starts)


def test_contig_names_of_the_gff3_become_those_of_the_fasta(sources: Sources) -> None:
    sources.write("genes.gff3", gff_text().replace("1\tx\t", "chr1\tx\t"))
    bundle = sources.build()
    assert {line.split("\t")[0] for line in _slice_lines(bundle)[1:]} == {"1"}
    assert bundle.contigs[0].aliases == ("chr1",)


def test_aliases_in_the_gff3_join_names_that_look_nothing_alike(sources: Sources) -> None:
    sources.write("genome.fa", fasta_text("NC_000001.11"))
    region = "1\tGRCh38\tchromosome\t1\t2000\t.\t.\t.\tID=chromosome:1;Alias=CM000663.2,chr1,NC_000001.11"
    sources.write("genes.gff3", gff_text((*GFF_LINES, region)))
    bundle = sources.build()
    assert bundle.contigs[0].name == "NC_000001.11"
    assert bundle.contigs[0].aliases == ("1", "CM000663.2", "chr1")


def test_a_file_that_states_coding_parts_alone_has_them_for_exons(sources: Sources) -> None:
    sources.write("genes.gff3", gff_text((GENE, TRANSCRIPT, *CDS)))
    (row,) = _transcripts(sources.build())
    assert row["exon_starts"] == [151, 301]


def test_an_exon_of_two_transcripts_is_in_both(sources: Sources) -> None:
    second = TRANSCRIPT.replace("transcript:T1", "transcript:T2")
    exons = [line.replace("Parent=transcript:T1", "Parent=transcript:T1,transcript:T2") for line in EXONS]
    sources.write("genes.gff3", gff_text((GENE, TRANSCRIPT, second, *exons)))
    assert [row["exon_starts"] for row in _transcripts(sources.build())] == [[101, 301]] * 2


def test_a_transcript_of_which_no_parts_are_stated_is_one_exon(sources: Sources) -> None:
    sources.write("genes.gff3", gff_text((GENE, TRANSCRIPT)))
    (row,) = _transcripts(sources.build())
    assert (row["exon_starts"], row["exon_ends"]) == ([101], [400])


def test_genes_on_contigs_that_the_fasta_lacks_are_left_out_and_reported(sources: Sources) -> None:
    elsewhere = [
        line.replace("1\tx\t", "2\tx\t").replace(":G1", ":G2").replace(":T1", ":T2") for line in GFF_LINES
    ]
    sources.write("genes.gff3", gff_text((*GFF_LINES, *elsewhere)))
    reports: list[str] = []
    build_bundle(sources.recipe(), sources.references, reports.append)
    assert "genes: left out, on contigs that the FASTA does not have: 2" in reports
    assert "genes: 1 genes, 1 transcripts on 1 contigs" in reports


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("##fileformat=VCFv4.2\n", "is a VCF. Expected a GFF3"),
        (fasta_text(), "is a FASTA. Expected a GFF3"),
        (
            gff_text(("1 x gene 1 2 . + . ID=gene:G1",)),
            "line 2: expected nine columns with tabs between them",
        ),
        (gff_text(('1\tx\tgene\t1\t9\t.\t+\t.\tgene_id "G1"; gene_name "X";',)), "line 2: this is a GTF"),
        (
            gff_text(("1\tx\tgene\t1\t9\t.\t+\t.\tID=ENSG1.1;gene_type=lncRNA",)),
            "has no gene lines of Ensembl's",
        ),
        (gff_text(()), "has no gene lines of Ensembl's dialect"),
        (
            gff_text([line.replace("1\tx", "7\tx") for line in GFF_LINES]),
            "none of its contigs (7) is in the FASTA (1)",
        ),
        (gff_text((TRANSCRIPT, *EXONS)), "transcript T1 belongs to gene 'G1', which has no line"),
        (gff_text((GENE, TRANSCRIPT.replace("Parent=gene:G1;", "Parent=x;"))), "transcript T1 names no gene"),
        (gff_text((GENE, TRANSCRIPT.replace("+", "."))), "transcript T1 has no strand"),
        (gff_text((GENE.replace("101", "one"),)), "expected whole numbers for start and end"),
        (
            "##gff-version 3\n##sequence-region 1 1 2001\n",
            "looks like another build: it says that 1 has 2,001 bases",
        ),
        (
            gff_text((GENE, TRANSCRIPT, EXONS[0].replace("101\t200", "2101\t2200"))),
            "has an exon at 1:2,101, past the end of the contig (2,000 bases)",
        ),
    ],
)
def test_a_wrong_gff3_is_refused_with_what_is_wrong(sources: Sources, content: str, message: str) -> None:
    sources.write("genes.gff3", content)
    with pytest.raises(BundleError, match=re.escape(message)):
        sources.build()


def test_csq_reads_the_slices_of_its_own_cases_as_it_reads_the_whole_files(
    shared_data: Path, tmp_path: Path
) -> None:
    """Compares the records that csq gives with the slice and with the file that it was made from."""
    steps, pairs = [], []
    for gff in sorted((shared_data / "csq").glob("*/*.gff")):
        vcf = next(iter(sorted(gff.parent.glob("*.vcf"))))
        fasta = gff.with_suffix(".fa")
        bundle = build_bundle(BundleRecipe(gff.stem, "1", fasta, gff), tmp_path / "references")
        genes = bundle.genes_gff(bundle.contigs[0])
        pair = []
        for name, models in (("whole", gff), ("slice", genes)):
            pair.append(tmp_path / f"{gff.stem}-{name}.vcf")
            arguments = (
                "csq",
                "--force",
                "-l",
                "-f",
                str(fasta),
                "-g",
                str(models),
                "-o",
                str(pair[-1]),
                str(vcf),
            )
            steps.append(Step("bcftools", arguments))
        pairs.append(pair)
    assert len(pairs) == 33
    run_all(steps, tmp_path, at_once=2)
    for whole, sliced in pairs:
        assert _records(sliced) == _records(whole), sliced.name


def test_chromosome_21_has_all_its_genes_and_csq_accepts_them(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "grch38_chr21"
    fasta, gff = folder / "GRCh38.chr21.slice_masked.fa.gz", folder / "Ensembl.GRCh38.chr21.gff3.gz"
    bundle = build_bundle(BundleRecipe("GRCh38", "84", fasta, gff), tmp_path / "references")
    assert bundle.contigs[0].aliases == ("CM000683.2", "NC_000021.9", "chr21")
    lines = _slice_lines(bundle)
    assert sum(line.split("\t")[2] == "gene" for line in lines[1:]) == 541
    rows = _transcripts(bundle, "chr21")
    assert len({row["gene_id"] for row in rows}) == 835  # with the genes of RNAs and pseudogenes
    (app,) = (row for row in rows if row["transcript"] == "ENST00000346798")
    assert (app["symbol"], app["strand"], len(app["exon_starts"])) == ("APP", -1, 18)
    assert not app["canonical"]  # a release from before the tag

    out = tmp_path / "out.vcf"
    query = tmp_path / "query.vcf"
    query.write_text(
        "##fileformat=VCFv4.2\n##contig=<ID=21>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        "21\t25891784\t.\tC\tA\t.\t.\t.\n"
    )
    genes = bundle.genes_gff(bundle.contigs[0])
    arguments = (
        "csq",
        "--force",
        "-l",
        "-f",
        str(bundle.genome),
        "-g",
        str(genes),
        "-o",
        str(out),
        str(query),
    )
    run_all([Step("bcftools", arguments)], tmp_path, at_once=1)
    assert "missense|APP|ENST00000346798|protein_coding|-|717V>717F" in out.read_text()


def test_the_mitochondrion_has_all_its_genes(shared_data: Path, tmp_path: Path) -> None:
    recipe = BundleRecipe("rCRS", "1", shared_data / "mt/rCRS_chrM.fasta", shared_data / "mt/MT.gff3")
    bundle = build_bundle(recipe, tmp_path / "references")
    (contig,) = bundle.contigs
    assert (contig.name, contig.length, contig.genetic_code) == ("chrM", 16_569, 2)
    assert contig.md5 == "c68f52674c9fb33aef52dcf399755519"
    assert len(_transcripts(bundle, "MT")) == 37


def _records(vcf: Path) -> list[str]:
    return [line for line in vcf.read_text().splitlines() if not line.startswith("#")]
