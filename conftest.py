"""What every test stands on: folders of its own, no network but loopback, a record of the tasks sent."""

import os
import shutil
import socket
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.core.cache import cache
from django.db import connections

from annotations.dynamodb.base import DatabaseWrapper as DynamoDB
from annotations.dynamodb.schema import empty_table, table_exists
from annotations.dynamodb.tests.connecting import connected
from annotations.dynamodb.tests.servers import ministack
from annotations.engine.building import BundleRecipe, KnownInput, build_bundle
from annotations.engine.bundle import ReferenceBundle
from annotations.models import Job, Shard
from gas_project.accounts.models import User
from gas_project.routers import JOBS_DATABASE
from gas_project.tests.factories import make_user

SHARED_DATA = Path(__file__).resolve().parent.parent / "shared" / "data"


@dataclass(frozen=True)
class SentTask:
    name: str
    args: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(autouse=True)
def sent_tasks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[SentTask]:
    """The tasks sent during the test, in order; none reaches a broker, unless the test is marked `broker`."""
    sent: list[SentTask] = []

    def record(self: Celery, name: str, args: Any = None, kwargs: Any = None, **options: Any) -> None:
        sent.append(SentTask(name, tuple(args or ()), options))

    if request.node.get_closest_marker("broker") is None:
        monkeypatch.setattr(Celery, "send_task", record)
    return sent


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings: Any) -> Path:
    """State, objects and references of this test alone. Returns the state folder."""
    settings.STATE_DIR = tmp_path / "state"
    settings.REFERENCES_DIR = settings.STATE_DIR / "references"
    settings.REFERENCES_DIR.mkdir(parents=True)
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": settings.STATE_DIR / "objects"},
        },
    }
    return Path(settings.STATE_DIR)


@pytest.fixture(autouse=True)
def _forget_rate_limits() -> Iterator[None]:
    """Failed log-ins of one test must not lock out the next."""
    yield
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """A test that reaches for the network fails, and says where it wanted to go."""
    real_connect = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(address[0]):
            raise RuntimeError(f"A test tried to connect to {address}; tests reach no network but loopback.")
        real_connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        yield


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture
def user(db: None) -> User:
    """Somebody on the free tier. Fixtures, because the apps' own tests may not import the project."""
    return make_user("ada@example.org")


@pytest.fixture(scope="session")
def _dynamodb() -> Iterator[dict[str, Any]]:
    """A DynamoDB, as an entry of DATABASES.

    Tests may look through the shards to see that none is left; nobody may so with the jobs.
    """
    with ministack() as database:
        yield database | {"OPTIONS": database["OPTIONS"] | {"scan": ["annotations_shard"]}}


def _connect(connection: DynamoDB) -> None:
    if connection.connection is None:
        connection.connect()


@pytest.fixture
def jobs_in_dynamodb(
    db: None, _dynamodb: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DynamoDB]:
    """The connection to a DynamoDB where the jobs live during the test."""
    # Django's TestCase lets nobody connect to a database that it did not know at its start.
    monkeypatch.setattr(DynamoDB, "ensure_connection", _connect)
    settings.DATABASE_ROUTERS = ["gas_project.routers.JobsApart"]
    with connected(_dynamodb, JOBS_DATABASE) as connection:
        for model in (Job, Shard):
            if not table_exists(connection, connection.table_name(model._meta.db_table)):
                with connection.schema_editor() as editor:
                    editor.create_model(model)
        yield connection
        for model in (Job, Shard):
            empty_table(connection, model._meta.db_table)


@pytest.fixture(params=["default", "dynamodb"])
def jobs_database(request: pytest.FixtureRequest, db: None) -> Any:
    """The connection of the database that the jobs live in; a test that uses this runs with each of them."""
    if request.param == "default":
        return connections["default"]
    return request.getfixturevalue("jobs_in_dynamodb")


@pytest.fixture
def other_user(db: None) -> User:
    return make_user("eve@example.org")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless browser; a test that needs it is skipped where none is installed.

    For one module of tests: while it is open its event loop runs in this thread, where no other can.
    """
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium is installed on this machine")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    arguments += ["--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Django takes that loop for a sign that the tests' own queries are async.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With TESTS_NEED_ALL set, a test that would be skipped for want of a program fails instead."""
    report = yield
    if os.environ.get("TESTS_NEED_ALL"):
        fail_if_something_is_missing(report)
    return report


def fail_if_something_is_missing(report: pytest.TestReport) -> None:
    if report.skipped and "installed" in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"TESTS_NEED_ALL is set. {report.longrepr}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", type=Path, help="folder for the pictures that the documentation shows")


@pytest.fixture
def picture(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Any, str], None]:
    """Takes a picture of a page: into the folder that --pictures names, or one that goes with the test."""
    folder = request.config.getoption("--pictures") or tmp_path

    def take(page: Any, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", animations="disabled")

    return take


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; a test that needs it is skipped where it is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the real data are not at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def grch38_chr21(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ReferenceBundle:
    """A bundle of the real chromosome 21, with bases at 25 to 26 million."""
    data = shared_data / "grch38_chr21"
    recipe = BundleRecipe(
        name="GRCh38",
        version="chr21",
        fasta=data / "GRCh38.chr21.slice_masked.fa.gz",
        gff=data / "Ensembl.GRCh38.chr21.gff3.gz",
        known=(KnownInput("dbsnp", data / "known.chr21.vcf.gz"),),
    )
    return build_bundle(recipe, tmp_path_factory.mktemp("references"))
