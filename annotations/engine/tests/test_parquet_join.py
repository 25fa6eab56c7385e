"""Joined Parquet files have the rows of all, in order, for whoever reads them."""

from pathlib import Path

import duckdb
import polars as pl
import pytest

from annotations.engine.parquet_join import join_parquet
from annotations.engine.thrift_compact import read_struct, write_struct


def part(number: int, rows: int = 500) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "pos": range(number * rows, (number + 1) * rows),
            "id": [f"rs{row}" if row % 3 else None for row in range(rows)],
            "genes": [["A", f"G{number}"] if row % 2 else [] for row in range(rows)],
            "known": [None if row % 5 == 0 else row % 2 == 0 for row in range(rows)],
            "af": [row / rows for row in range(rows)],
        }
    )


def written(frame: pl.DataFrame, path: Path, row_group_size: int | None = None) -> Path:
    frame.write_parquet(path, compression="zstd", row_group_size=row_group_size, metadata={"name": path.stem})
    return path


def asked(query: str, folder: Path) -> list[tuple[object, ...]]:
    return duckdb.execute(query, [str(folder / "all.parquet")]).fetchall()


def test_polars_and_duckdb_read_all_rows_in_order(tmp_path: Path) -> None:
    parts = [written(part(number), tmp_path / f"{number}.parquet", 200) for number in range(20)]
    join_parquet(parts, tmp_path / "all.parquet")
    expected = pl.concat(part(number) for number in range(20))
    assert pl.read_parquet(tmp_path / "all.parquet").equals(expected)
    assert asked("SELECT * FROM read_parquet(?) ORDER BY pos", tmp_path) == expected.rows()
    assert asked("SELECT count(DISTINCT row_group_id) FROM parquet_metadata(?)", tmp_path) == [(60,)]


def test_statistics_and_metadata_are_kept(tmp_path: Path) -> None:
    parts = [written(part(number), tmp_path / f"{number}.parquet") for number in range(3)]
    join_parquet(parts, tmp_path / "all.parquet")
    statistics = (
        "SELECT stats_min_value, stats_max_value FROM parquet_metadata(?) "
        "WHERE path_in_schema = 'pos' ORDER BY row_group_id"
    )
    assert asked(statistics, tmp_path) == [("0", "499"), ("500", "999"), ("1000", "1499")]
    assert pl.read_parquet_metadata(tmp_path / "all.parquet")["name"] == "0"
    found = pl.scan_parquet(tmp_path / "all.parquet").filter(pl.col("pos") == 1_203).collect()
    assert found.equals(part(2).filter(pl.col("pos") == 1_203))


def test_one_file_joined_is_the_file(tmp_path: Path) -> None:
    one = written(part(0), tmp_path / "one.parquet")
    join_parquet([one], tmp_path / "joined.parquet")
    assert (tmp_path / "joined.parquet").read_bytes() == one.read_bytes()


@pytest.mark.parametrize("cut", [0, 3, 40, -1, -200])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    path = written(part(0), tmp_path / "one.parquet")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"one\.parquet is no whole Parquet file"):
        join_parquet([path], tmp_path / "joined.parquet")


def test_a_footer_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.parquet"
    path.write_bytes(b"PAR1" + b"\x1c" * 9 + (9).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(ValueError, match="it ends too early"):
        join_parquet([path], tmp_path / "joined.parquet")


def test_numbers_of_fields_far_apart_and_long_lists_keep_their_form() -> None:
    struct = {1: (5, -70_000), 40: (1, True), 41: (2, False), 90: (9, (6, list(range(-20, 20))))}
    struct[91] = (9, (2, [1, 2, 2]))
    struct[92] = (12, {3: (8, b"text"), 4: (7, bytes(8)), 5: (3, 7)})
    assert read_struct(write_struct(struct)) == struct
