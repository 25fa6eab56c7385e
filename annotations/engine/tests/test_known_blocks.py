"""A few known variants are found in the small blocks as in the whole table."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from annotations.engine.known_blocks import BLOCK_ROWS, KnownBlocks, write_blocks

ROWS = 5_000


@pytest.fixture
def table(tmp_path: Path) -> pl.DataFrame:
    """Up to 300 alleles at one position, some with an INFO field larger than a BGZF block."""
    random = np.random.default_rng(1)
    positions = np.sort(
        np.concatenate([random.integers(1, 100_000, ROWS - 600), np.repeat([500, 70_000], 300)])
    )
    long = np.where(random.random(ROWS) < 0.002, 100_000, 3)
    return pl.DataFrame(
        {
            "pos": positions.astype(np.int32),
            "ref": random.choice(["A", "C", "GT"], ROWS),
            "alt": random.choice(["G", "T"], ROWS),
            "id": [f"rs{number}" if number % 3 else None for number in range(ROWS)],
            "text": ["x" * int(count) for count in long],
        }
    )


def rows_of(text: bytes, table: pl.DataFrame) -> pl.DataFrame:
    return pl.read_csv(text, separator="\t", has_header=False, quote_char=None, schema=table.schema)


def test_all_rows_at_a_position_are_in_the_blocks_that_are_read_for_it(
    table: pl.DataFrame, tmp_path: Path
) -> None:
    parquet, target, index = (tmp_path / name for name in ("1.parquet", "1.tsv.gz", "1.blocks.npy"))
    table.write_parquet(parquet, row_group_size=1_000)
    write_blocks(parquet, target, index)
    blocks = KnownBlocks(target, index)
    assert len(blocks) == -(-ROWS // BLOCK_ROWS)
    for position in (1, 500, 70_000, 99_999, 200_000, *table["pos"].sample(20, seed=1).to_list()):
        numbers = blocks.blocks_with(np.array([position]))
        found = rows_of(blocks.text(numbers), table).filter(pl.col("pos") == position)
        assert found.equals(table.filter(pl.col("pos") == position)), position
        assert len(numbers) <= 300 // BLOCK_ROWS + 2


def test_the_blocks_are_a_bgzf_file_of_the_whole_table(table: pl.DataFrame, tmp_path: Path) -> None:
    import pysam

    parquet, target, index = (tmp_path / name for name in ("1.parquet", "1.tsv.gz", "1.blocks.npy"))
    table.write_parquet(parquet)
    write_blocks(parquet, target, index)
    with pysam.BGZFile(str(target), "r", None) as file:
        assert rows_of(file.read(), table).equals(table)
