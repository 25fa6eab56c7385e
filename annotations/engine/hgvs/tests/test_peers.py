"""Two independent implementations describe what we describe, or differ for a reason that is known."""

import importlib.util
from pathlib import Path

import polars as pl
import pytest

from annotations.engine.hgvs.tests.agreement import (
    AGREE,
    UNEXPLAINED,
    beside_csq,
    beside_ferro,
    every_substitution,
    made_alleles,
    whole_transcripts,
)
from annotations.engine.hgvs.tests.real_data import CHR21, MITOCHONDRION, needs_real_data, transcripts_of

pytestmark = needs_real_data

needs_ferro = pytest.mark.skipif(
    importlib.util.find_spec("ferro_hgvs") is None, reason="ferro-hgvs is not installed"
)


@pytest.fixture(scope="module")
def transcripts() -> pl.DataFrame:
    return whole_transcripts()


@needs_ferro
def test_ferro_hgvs_describes_alleles_alike(transcripts: pl.DataFrame, tmp_path: Path) -> None:
    both = beside_ferro(transcripts, made_alleles(transcripts, step=97), tmp_path)
    assert both.filter((pl.col("c_class") == UNEXPLAINED) | (pl.col("p_class") == UNEXPLAINED)).is_empty()
    simple = both.filter(pl.col("kind") == "substitution")
    assert (simple["c_class"] == AGREE).mean() > 0.98  # type: ignore[operator]
    assert both.filter((pl.col("c_class") == AGREE) & pl.col("c").is_not_null()).height > 5_000
    assert both.filter((pl.col("p_class") == AGREE) & pl.col("p").is_not_null()).height > 1_000


def test_bcftools_csq_changes_the_same_residues(transcripts: pl.DataFrame, tmp_path: Path) -> None:
    coding = transcripts.filter(pl.col("cds_start").is_not_null())
    both = beside_csq(coding, made_alleles(coding, step=41), CHR21, tmp_path)
    assert both.filter(pl.col("p_class") == UNEXPLAINED).is_empty()
    assert (both.filter(pl.col("kind") == "substitution")["p_class"] == AGREE).all()
    assert both.filter(pl.col("p_class") == AGREE).height > 1_000


def test_csq_reads_the_mitochondrion_alike(tmp_path: Path) -> None:
    genes = transcripts_of(MITOCHONDRION.genes).filter(pl.col("cds_start").is_not_null())
    both = beside_csq(genes, every_substitution(genes, MITOCHONDRION, step=7), MITOCHONDRION, tmp_path)
    assert both.filter(pl.col("p_class") == UNEXPLAINED).is_empty()
    assert both.filter(pl.col("p_class") == AGREE).height > 4_000
