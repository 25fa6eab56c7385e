"""Reference bundles of a manifest alone: enough for whoever only lists them."""

import json
from pathlib import Path
from typing import Any


def write_bundle(references: Path, name: str = "demo", version: str = "1", **changed: Any) -> Path:
    folder = references / name / version
    folder.mkdir(parents=True)
    manifest = {
        "format": 1,
        "name": name,
        "version": version,
        "created_at": "2026-01-01T00:00:00Z",
        "description": "A small genome.",
        "contigs": [
            {
                "name": "21",
                "length": 1000,
                "md5": "0" * 32,
                "genetic_code": 1,
                "aliases": ["chr21"],
                "genes": True,
            }
        ],
        "genes": {"source": "genes.gff3", "transcripts": 2, "genes": 1},
        "known": [
            {"source": "dbsnp", "version": "157", "file": "x", "records": 1, "gives_id": True, "fields": []}
        ],
        "files": {},
        "tools": {},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest | changed))
    return folder
