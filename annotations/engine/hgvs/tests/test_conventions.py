"""How alleles of a small gene are described, on either strand; every expectation is worked out by hand.

11  GCGCCC ATG GCT AAA CGT  28         c.-6 to c.12
29  GTAAGTCCCTTTCAG         43         intron
44  GGT GGT TGG TAA AGCTGTTTGACC  67   c.13 to c.24, c.*1 to c.*12

Met Ala Lys Arg Gly Gly Trp Ter
"""

import polars as pl
import pytest

from annotations.engine.hgvs import PAIR_SCHEMA, RESULT_SCHEMA, HgvsDescriber, TranscriptTable

FLANK = "CCCCCCCCCC"
GENOME = FLANK + "GCGCCCATGGCTAAACGT" + "GTAAGTCCCTTTCAG" + "GGTGGTTGGTAAAGCTGTTTGACC" + FLANK
MIRRORED_GENOME = GENOME.translate(str.maketrans("ACGT", "TGCA"))[::-1]


def mirrored(position: int) -> int:
    return len(GENOME) + 1 - position


def gene(strand: int = 1, **changes: object) -> pl.DataFrame:
    spans = {"exon_starts": [11, 44], "exon_ends": [28, 67]}
    coding = 17, 55
    if strand < 0:
        spans = {
            "exon_starts": [mirrored(67), mirrored(28)],
            "exon_ends": [mirrored(44), mirrored(11)],
        }
        coding = mirrored(55), mirrored(17)
    columns = {name: [span] for name, span in spans.items()} | {
        "transcript_id": ["T.1"],
        "strand": [strand],
        "cds_start": [coding[0]],
        "cds_end": [coding[1]],
        "protein_id": ["P.1"],
    }
    return pl.DataFrame(columns | {name: [value] for name, value in changes.items()})


def describer_of(frame: pl.DataFrame, genome: str = GENOME, **options: bool) -> HgvsDescriber:
    return HgvsDescriber(
        TranscriptTable.from_frame(frame), lambda _, start, end: genome[start:end], "1", **options
    )


def described(
    position: int, ref: str, alt: str, describer: HgvsDescriber | None = None
) -> tuple[str | None, str | None]:
    pairs = pl.DataFrame([(0, position, ref, alt)], schema=PAIR_SCHEMA, orient="row")
    coding, protein = (describer or describer_of(gene())).describe(pairs).row(0)[:2]
    return coding and coding.removeprefix("T.1:"), protein and protein.removeprefix("P.1:")


CASES = [
    # substitutions
    (20, "G", "A", "c.4G>A", "p.(Ala2Thr)"),
    (22, "T", "C", "c.6T>C", "p.(Ala2=)"),
    (23, "A", "T", "c.7A>T", "p.(Lys3Ter)"),
    (17, "A", "G", "c.1A>G", "p.(Met1?)"),
    (53, "T", "C", "c.22T>C", "p.(Ter8GlnextTer?)"),
    (54, "A", "G", "c.23A>G", "p.(Ter8=)"),
    (20, "GC", "AT", "c.4_5delinsAT", "p.(Ala2Ile)"),
    (20, "GCT", "GAT", "c.5C>A", "p.(Ala2Asp)"),
    # numbering
    (11, "G", "A", "c.-6G>A", None),
    (16, "C", "T", "c.-1C>T", None),
    (56, "A", "G", "c.*1A>G", None),
    (67, "C", "G", "c.*12C>G", None),
    (29, "G", "A", "c.12+1G>A", None),
    (36, "C", "G", "c.12+8C>G", None),  # the middle of the intron
    (37, "C", "G", "c.13-7C>G", None),
    (43, "G", "C", "c.13-1G>C", None),
    # frameshifts
    (19, "GG", "G", "c.4del", "p.(Ala2LeufsTer10)"),
    (22, "TA", "T", "c.9del", "p.(Lys3AsnfsTer9)"),
    (22, "T", "TA", "c.9dup", "p.(Arg4ThrfsTer?)"),
    (52, "GT", "G", "c.22del", "p.(Ter8LysextTer3)"),
    # residues lost and gained
    (43, "GGGT", "G", "c.16_18del", "p.(Gly6del)"),
    (43, "G", "GGGT", "c.16_18dup", "p.(Gly6dup)"),
    (19, "G", "GGCT", "c.4_6dup", "p.(Ala2dup)"),
    (22, "T", "TCAT", "c.6_7insCAT", "p.(Ala2_Lys3insHis)"),
    (22, "T", "TTAG", "c.6_7insTAG", "p.(Lys3Ter)"),
    (22, "T", "TCATTAG", "c.6_7insCATTAG", "p.(Ala2_Lys3insHisTer)"),
    (51, "GGTA", "G", "c.21_23del", "p.(Trp7del)"),
    (20, "GCT", "CATCAT", "c.4_5delinsCATCA", "p.(Ala2delinsHisHis)"),
    (23, "AAAC", "GTTT", "c.7_10inv", "p.(Lys3_Arg4delinsValCys)"),
    (15, "CCAT", "C", "c.-1_2del", "p.(Met1?)"),
    # the borders of exons
    (26, "CGTGT", "C", "c.11_12+2del", None),
    (26, "CGT", "C", "c.12+1_12+2del", None),  # shifted out of the exon
    (42, "AG", "A", "c.14del", "p.(Gly5ValfsTer7)"),  # shifted into it
    (28, "T", "TCC", "c.12_12+1insCC", None),
    (26, GENOME[25:45], "C", "c.11_14del", None),  # the whole intron with it
]


@pytest.mark.parametrize(("position", "ref", "alt", "coding", "protein"), CASES)
def test_an_allele_of_a_forward_gene_is_described(
    position: int, ref: str, alt: str, coding: str, protein: str | None
) -> None:
    assert described(position, ref, alt) == (coding, protein)


@pytest.mark.parametrize(("position", "ref", "alt", "coding", "protein"), CASES)
def test_an_allele_of_a_reverse_gene_is_described_alike(
    position: int, ref: str, alt: str, coding: str, protein: str | None
) -> None:
    position = mirrored(position + len(ref) - 1)
    ref, alt = (allele.translate(str.maketrans("ACGT", "TGCA"))[::-1] for allele in (ref, alt))
    describer = describer_of(gene(-1), MIRRORED_GENOME)
    assert described(position, ref, alt, describer) == (coding, protein)


@pytest.mark.parametrize(
    ("position", "ref", "alt"),
    [
        (5, "C", "T"),
        (70, "CC", "C"),
        (9, "CCGC", "C"),  # begins before the transcript
        (20, "G", "<DEL>"),
        (20, "G", "*"),
        (20, "G", "."),
        (20, "G", "N"),
        (20, "G", "G"),
        (19, "AG", "A"),  # REF is not the genome's
    ],
)
def test_what_cannot_be_described_stays_empty(position: int, ref: str, alt: str) -> None:
    assert described(position, ref, alt) == (None, None)


def test_a_change_that_is_partly_outside_of_the_transcript_stays_empty() -> None:
    describer = describer_of(gene(exon_starts=[17, 44]))
    assert described(14, "CCCATG", "C", describer) == (None, None)


@pytest.mark.parametrize(
    ("ref", "alt", "coding", "protein"),
    [("GTTA", "G", "c.13_15del", "p.(Leu6del)"), ("G", "GTTA", "c.13_15dup", "p.(Leu6dup)")],
)
def test_the_last_of_equal_residues_is_named_though_their_codons_differ(
    ref: str, alt: str, coding: str, protein: str
) -> None:
    two_leucines = GENOME[:43] + "TTACTG" + GENOME[49:]
    assert described(43, ref, alt, describer_of(gene(), two_leucines)) == (coding, protein)


def test_a_substitution_whose_ref_is_not_the_genomes_gets_no_protein_description() -> None:
    assert described(20, "T", "A") == ("c.4T>A", None)


def test_a_transcript_without_coding_sequence_is_numbered_from_its_first_base() -> None:
    describer = describer_of(gene(cds_start=None, cds_end=None, protein_id=None))
    assert described(20, "G", "A", describer) == ("n.10G>A", None)
    assert described(29, "G", "A", describer) == ("n.18+1G>A", None)


def test_parentheses_can_be_left_out_as_vep_does() -> None:
    describer = describer_of(gene(), predicted_parentheses=False)
    assert described(20, "G", "A", describer) == ("c.4G>A", "p.Ala2Thr")


def test_lower_case_alleles_and_genomes_are_understood() -> None:
    assert described(19, "gg", "g", describer_of(gene(), GENOME.lower())) == ("c.4del", "p.(Ala2LeufsTer10)")


def test_an_incomplete_start_counts_its_first_residue_as_ensembl_does() -> None:
    describer = describer_of(gene(cds_start=18, cds_phase=2))
    assert described(20, "G", "A", describer) == ("c.3G>A", "p.(Ala2Thr)")
    assert described(19, "GG", "G", describer) == ("c.3del", "p.(Ala2LeufsTer10)")
    assert described(18, "T", "C", describer) == ("c.1T>C", None)


def test_an_unknown_reading_frame_gives_no_protein_description() -> None:
    describer = describer_of(gene(cds_start=18))
    assert described(20, "G", "A", describer) == ("c.3G>A", None)
    assert described(19, "GG", "G", describer) == ("c.3del", None)


def test_an_unknown_base_in_the_codon_gives_no_protein_description() -> None:
    describer = describer_of(gene(), GENOME[:20] + "N" + GENOME[21:])
    assert described(20, "G", "A", describer) == ("c.4G>A", None)


def test_codons_and_amino_acids_come_with_the_description() -> None:
    alleles = [
        (0, 20, "G", "A"),
        (0, 22, "T", "C"),
        (0, 19, "GG", "G"),
        (0, 19, "G", "GGCT"),
        (0, 29, "G", "A"),
    ]
    columns = describer_of(gene()).describe(pl.DataFrame(alleles, schema=PAIR_SCHEMA, orient="row"))
    assert columns.select("codons", "amino_acids", "protein_position").rows() == [
        ("Gct/Act", "A/T", 2),
        ("gcT/gcC", "A", 2),
        ("Gct/ct", "A/X", 2),
        ("-/GCT", "-/A", 3),
        (None, None, None),
    ]


def test_results_come_in_the_order_of_the_pairs() -> None:
    alleles = [
        (0, 22, "T", "TA"),
        (0, 20, "G", "A"),
        (0, 20, "G", "<INS>"),
        (0, 29, "G", "A"),
        (0, 19, "GG", "G"),
    ]
    columns = describer_of(gene()).describe(pl.DataFrame(alleles, schema=PAIR_SCHEMA, orient="row"))
    assert columns["hgvsc"].to_list() == ["T.1:c.9dup", "T.1:c.4G>A", None, "T.1:c.12+1G>A", "T.1:c.4del"]


@pytest.mark.parametrize("alleles", [[], [(0, 20, "G", "<DEL>")], [(0, 20, "G", "A")], [(0, 19, "GG", "G")]])
def test_every_batch_has_the_columns_that_are_promised(alleles: list[tuple[int, int, str, str]]) -> None:
    columns = describer_of(gene()).describe(pl.DataFrame(alleles, schema=PAIR_SCHEMA, orient="row"))
    assert dict(columns.schema) == RESULT_SCHEMA
    assert len(columns) == len(alleles)


def test_a_table_that_lacks_a_column_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match="lacks protein_id"):
        TranscriptTable.from_frame(gene().drop("protein_id"))


def test_a_transcript_without_exons_is_refused_by_its_name() -> None:
    frame = gene().with_columns(exon_starts=pl.Series([[]], dtype=pl.List(pl.Int64)))
    with pytest.raises(ValueError, match=r"T\.1"):
        TranscriptTable.from_frame(frame)


def test_the_genome_is_read_once_for_neighbouring_alleles() -> None:
    reads = []

    def fetch(_: str, start: int, end: int) -> str:
        reads.append((start, end))
        return GENOME[start:end]

    describer = HgvsDescriber(TranscriptTable.from_frame(gene()), fetch, "1")
    pairs = pl.DataFrame(
        [(0, 20, "G", "A"), (0, 19, "GG", "G"), (0, 44, "G", "C")], schema=PAIR_SCHEMA, orient="row"
    )
    describer.describe(pairs)
    describer.describe(pairs)
    assert len(reads) == 1
