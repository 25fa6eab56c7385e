import polars as pl

from annotations.engine.csq import BCSQ_SCHEMA, entries
from annotations.engine.terms import text_of


def test_what_csq_says_of_one_transcript_in_two_entries_is_one_finding() -> None:
    said = pl.DataFrame(
        {
            "key": [7],
            "bcsq": ["splice_region|G|T1|protein_coding|-,synonymous|G|T1|protein_coding|-|98L|5T>C"],
            "samples": [None],
        },
        schema=BCSQ_SCHEMA,
    )
    [(site, transcript, mask, _)] = entries(said).rows()
    assert (site, transcript) == (7, "T1")
    assert text_of(mask) == "splice_region_variant&synonymous_variant"
