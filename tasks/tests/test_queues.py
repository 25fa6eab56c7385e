"""Queues declared, routed to and consumed are the same; so are tasks that exist, are routed and are sent."""

import re
from pathlib import Path

import pytest
from celery import current_app

from tasks.queues import CONSUMERS, DEFAULT, QUEUES, ROUTES, SHORT_TASK_SECONDS

PROJECT = Path(__file__).resolve().parents[2]
NAMES = {queue.name for queue in QUEUES}


@pytest.fixture(scope="module")
def task_names() -> set[str]:
    current_app.loader.import_default_modules()
    return {name for name in current_app.tasks if name.startswith("tasks.")}


def test_every_task_has_a_route_and_every_route_a_task(task_names: set[str]) -> None:
    assert set(ROUTES) == task_names


def test_every_route_leads_to_a_declared_queue() -> None:
    assert {route["queue"] for route in ROUTES.values()} <= NAMES
    assert DEFAULT in NAMES


def test_every_queue_is_asked_by_one_kind_of_worker() -> None:
    asked = [queue for queues in CONSUMERS.values() for queue in queues]
    assert sorted(asked) == sorted(NAMES)


def test_a_short_task_that_hangs_is_ended_long_before_an_annotation_would_be(task_names: set[str]) -> None:
    tasks = current_app.tasks
    assert tasks["tasks.sweep"].time_limit == tasks["tasks.notify"].time_limit == SHORT_TASK_SECONDS
    assert tasks["tasks.annotate"].time_limit == current_app.conf.task_time_limit > SHORT_TASK_SECONDS


def test_every_task_that_the_apps_send_by_name_exists(task_names: set[str]) -> None:
    apps = [PROJECT / app for app in ("annotations", "archival", "billing")]
    sources = [path for app in apps for path in app.rglob("*.py") if "tests" not in path.parts]
    call = re.compile(r'\b(?:enqueue|enqueue_on_commit|_resend)\((?:job, )?"(\w+)"')
    sent = {name for path in sources for name in call.findall(path.read_text())}
    assert sent
    assert {f"tasks.{name}" for name in sent} <= task_names


def test_every_task_that_beat_sends_exists(task_names: set[str]) -> None:
    assert {entry["task"] for entry in current_app.conf.beat_schedule.values()} <= task_names


def test_a_task_is_acknowledged_late_and_given_back_when_its_process_dies(task_names: set[str]) -> None:
    for name in task_names:
        task = current_app.tasks[name]
        assert (task.acks_late, task.reject_on_worker_lost) == (True, True), name
    assert current_app.conf.worker_prefetch_multiplier == 1
