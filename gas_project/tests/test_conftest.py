"""The promises that conftest.py makes to every other test."""

import socket
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import default_storage

from annotations.enqueue import enqueue
from conftest import fail_if_something_is_missing


def test_a_test_cannot_reach_the_network():
    with socket.socket() as client, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        client.connect(("192.0.2.1", 80))


def test_a_task_is_recorded_and_not_sent(sent_tasks):
    assert enqueue("annotate", "some-job")
    assert [(task.name, task.args) for task in sent_tasks] == [("tasks.annotate", ("some-job",))]


def test_objects_are_kept_in_the_folder_of_the_test(tmp_path: Path):
    assert Path(default_storage.path("key")).is_relative_to(tmp_path)
    assert settings.REFERENCES_DIR.is_relative_to(tmp_path)


@pytest.mark.django_db
def test_the_database_is_not_the_one_of_the_service():
    assert "gas-tests-" in str(settings.DATABASES["default"]["NAME"])


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [("dynalite is not installed: `make emulators`", "failed"), ("the real data are not here", "skipped")],
)
def test_where_all_is_needed_what_is_not_installed_is_a_failure(reason: str, outcome: str):
    report = pytest.TestReport(
        "test", ("f", 1, "test"), {}, "skipped", ("f", 1, f"Skipped: {reason}"), "setup"
    )
    fail_if_something_is_missing(report)
    assert report.outcome == outcome
    assert reason in str(report.longrepr)
