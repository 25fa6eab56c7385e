"""Results to look at: of the demo's family of three, and of a person's chromosome 21."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotations.engine.annotate import annotate
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.demo.files import build_demo
from annotations.models import Job, ResultState, Status
from annotations.results.tables import ResultTable, open_table
from annotations.storage.local import LocalObjectStore
from annotations.tests.factories import make_job

Files = dict[str, Path]  # of a result, by kind


@pytest.fixture(scope="session")
def demo_references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bundles that holds the demo's."""
    folder = tmp_path_factory.mktemp("demo-references")
    build_demo(folder)
    return folder


@pytest.fixture(scope="session")
def demo_files(demo_references: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """449 records, 497 alleles; samples CHILD, FATHER and MOTHER."""
    bundle = ReferenceBundle.open(demo_references / "demo" / "1")
    output = tmp_path_factory.mktemp("demo-result")
    return _files(annotate(demo_references / "demo" / "demo.vcf", bundle, output))


@pytest.fixture(scope="session")
def chr21_files(
    shared_data: Path, grch38_chr21: ReferenceBundle, tmp_path_factory: pytest.TempPathFactory
) -> Files:
    """65,370 records of NA12878, of which 1,573 lie where variants are known."""
    vcf = shared_data / "grch38_chr21" / "PG_NA12878_hg38-chr21.vcf.gz"
    return _files(annotate(vcf, grch38_chr21, tmp_path_factory.mktemp("chr21-result")))


def _files(summary: Any) -> Files:
    return {kind: Path(path) for kind, path in summary.files.items()}


@pytest.fixture
def publish(settings: Any) -> Callable[..., Job]:
    """Makes a completed job of a user's, with these files as its result."""

    def publish_(user: Any, files: Files, **fields: Any) -> Job:
        store = LocalObjectStore()
        keys = {kind: f"{user.pk}/results/{path.name}" for kind, path in files.items()}
        for kind, path in files.items():
            store.publish(path, keys[kind])
        done = {"status": Status.COMPLETED, "result_state": ResultState.AVAILABLE, "unsettled_shard": None}
        kept = {"result_key": keys["vcf"], "index_key": keys["index"], "table_key": keys["table"]}
        return make_job(user, log_key=keys["log"], **done, **kept, **fields)

    return publish_


@pytest.fixture
def demo_job(user: Any, demo_files: Files, publish: Any) -> Job:
    return publish(user, demo_files, input_file_name="demo.vcf")


@pytest.fixture
def demo_table(demo_job: Job) -> ResultTable:
    return open_table(demo_job)


@pytest.fixture
def chr21_table(chr21_files: Files, publish: Any, user: Any) -> ResultTable:
    return open_table(publish(user, chr21_files, input_file_name="NA12878.vcf.gz"))
