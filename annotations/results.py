"""What a job has for download."""

from dataclasses import dataclass

from annotations.models import Job, ResultState

LOG = "log"


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
    result_key = job.result_key if job.result_state == ResultState.AVAILABLE else ""
    files = [
        ResultFile(
            "result",
            "Annotated VCF",
            "your records with CSQ, rsIDs and known-variant fields",
            result_key,
            job.result_bytes,
        ),
        ResultFile("index", "Index", "tabix index of the annotated VCF", result_key and job.index_key),
        ResultFile(
            "table", "Table", "Parquet, one row for each allele, for R, Python or DuckDB", job.table_key
        ),
        ResultFile(LOG, "Count log", "what was counted, and what was left unannotated", job.log_key),
    ]
    return [file for file in files if file.key]
