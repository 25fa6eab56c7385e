"""Exports for Excel."""

import math
from pathlib import Path
from typing import Any

import xlsxwriter

from annotations.results.exports.batches import Progress, Wanted, batches
from annotations.results.exports.columns import Cell, ExportColumns
from annotations.results.exports.refusing import ExportRefused

# Excel's own limits (https://support.microsoft.com, "Excel specifications and limits").
MOST_ROWS = 1_048_576 - 1  # one is the heading
MOST_COLUMNS = 16_384
LONGEST_CELL = 32_767
_CUT = " … (cut)"


def refuse_too_large(wanted: Wanted, rows: int) -> None:
    """Raises ExportRefused where a sheet of Excel can't hold the rows."""
    if rows > MOST_ROWS:
        raise ExportRefused(
            f"A sheet of Excel holds {MOST_ROWS:,} rows beside its heading, and the filter finds {rows:,} "
            "alleles. Narrow the filter, or take TSV or Parquet."
        )
    columns = len(ExportColumns.of(wanted.table.layout).headings())
    if columns > MOST_COLUMNS:
        raise ExportRefused(
            f"A sheet of Excel holds {MOST_COLUMNS:,} columns, and {len(wanted.table.layout.samples):,} "
            f"samples make {columns:,}. Take TSV or Parquet."
        )


def write_xlsx(wanted: Wanted, path: Path, progress: Progress) -> None:
    """A sheet with the alleles, and one that says what they are and what was cut.

    Texts are written as texts, so that none becomes a formula or a link.
    """
    columns = ExportColumns.of(wanted.table.layout)
    options = {"constant_memory": True, "tmpdir": str(path.parent)}
    options |= {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = _Sheet(book, "Variants")
        sheet.heading(columns.headings())
        for rows in batches(wanted, columns.names, progress):
            for row in rows:
                sheet.row(list(columns.cells(row)))
        about = _Sheet(book, "About")
        about.row(["Filter", wanted.filter.query() or "none: all alleles"])
        about.row(["Alleles", sheet.rows - 1])
        about.row([f"Cells cut at {LONGEST_CELL:,} characters, Excel's limit", sheet.cut])


class _Sheet:
    def __init__(self, book: Any, name: str) -> None:
        self._sheet = book.add_worksheet(name)
        self._bold = book.add_format({"bold": True})
        self.rows = 0
        self.cut = 0

    def heading(self, titles: list[str]) -> None:
        for place, title in enumerate(titles):
            self._sheet.write_string(self.rows, place, title, self._bold)
        self._sheet.freeze_panes(1, 0)
        self.rows += 1

    def row(self, cells: list[Cell]) -> None:
        for place, cell in enumerate(cells):
            self._write(place, cell)
        self.rows += 1

    def _write(self, place: int, cell: Cell) -> None:
        if cell is None or cell == "":
            return
        if isinstance(cell, bool):
            self._sheet.write_boolean(self.rows, place, cell)
        elif isinstance(cell, str):
            if len(cell) > LONGEST_CELL:
                cell = cell[: LONGEST_CELL - len(_CUT)] + _CUT
                self.cut += 1
            self._sheet.write_string(self.rows, place, cell)
        elif math.isfinite(cell):
            self._sheet.write_number(self.rows, place, cell)
