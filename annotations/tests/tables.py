"""Tables of results without a row: enough for whoever only asks who may see them."""

import json
from pathlib import Path

import polars as pl

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.table import table_schema


def write_empty_table(path: Path, bundle: ReferenceBundle) -> None:
    metadata = {
        "gas_samples": json.dumps(["S1"]),
        "gas_known": json.dumps([one.name for one in bundle.known_sources]),
    }
    pl.DataFrame(schema=table_schema(bundle, has_samples=True)).write_parquet(path, metadata=metadata)
