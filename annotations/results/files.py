"""What a job has for download.

While a result is copied to the archive it is still at hand; once it is there, the log alone is.
"""

from dataclasses import dataclass

from annotations.models import Job, ResultState

RESULT = "result"
INDEX = "index"
LOG = "log"
TABLE = "table"


@dataclass(frozen=True)
class ResultFile:
    """One file of a job. `kind` names it in addresses; `size_bytes` is None where the record has no size."""

    kind: str
    label: str
    hint: str
    key: str
    size_bytes: int | None = None

    @property
    def name(self) -> str:
        """The name that the user saves it under."""
        return self.key.rsplit("/", 1)[-1].split("~", 1)[-1]


def files_of(job: Job) -> list[ResultFile]:
    """The files that can be downloaded now, the most wanted first."""
    at_hand = job.result_state in {ResultState.AVAILABLE, ResultState.ARCHIVING}
    result_key, index_key, table_key = (
        (job.result_key, job.index_key, job.table_key) if at_hand else ("", "", "")
    )
    files = [
        ResultFile(
            RESULT,
            "Annotated VCF",
            "your records with CSQ, rsIDs and known-variant fields",
            result_key,
            job.result_bytes,
        ),
        ResultFile(INDEX, "Index", "tabix index of the annotated VCF", index_key),
        ResultFile(TABLE, "Table", "Parquet, one row for each allele, for R, Python or DuckDB", table_key),
        ResultFile(LOG, "Count log", "what was counted, and what was left unannotated", job.log_key),
    ]
    return [file for file in files if file.key]
