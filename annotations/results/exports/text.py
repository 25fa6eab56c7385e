"""Exports as text: tab-separated values and JSON."""

import json
from pathlib import Path

from annotations.results.exports.batches import Progress, Wanted, batches
from annotations.results.exports.columns import Cell, ExportColumns

# Spreadsheets take a cell that begins so for a formula, and run it (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NO_TABS = str.maketrans("\t\r\n", "   ")


def write_tsv(wanted: Wanted, path: Path, progress: Progress) -> None:
    """A heading, then a line for each allele; empty where there is no value."""
    columns = ExportColumns.of(wanted.table.layout)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(tsv_cell(heading) for heading in columns.headings()) + "\n")
        for rows in batches(wanted, columns.names, progress):
            file.writelines("\t".join(map(tsv_cell, columns.cells(row))) + "\n" for row in rows)


def tsv_cell(value: Cell) -> str:
    """A cell that no spreadsheet takes for a formula: texts that look like one get an apostrophe in front.

    >>> tsv_cell("=1+1"), tsv_cell(-1), tsv_cell(True), tsv_cell(None), tsv_cell("a\\tb"), tsv_cell("-")
    ("'=1+1", '-1', 'true', '', 'a b', '-')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    text = f"'{value}" if value.startswith(_FORMULA_STARTS) and len(value) > 1 else value
    return text.translate(_NO_TABS)


def write_json(wanted: Wanted, path: Path, progress: Progress) -> None:
    """A list with an object for each allele."""
    columns = ExportColumns.of(wanted.table.layout)
    between = "[\n"
    with path.open("w", encoding="utf-8") as file:
        for rows in batches(wanted, columns.names, progress):
            for row in rows:
                file.write(between + json.dumps(columns.record(row), ensure_ascii=False, allow_nan=False))
                between = ",\n"
        file.write("\n]\n" if between == ",\n" else "[]\n")
