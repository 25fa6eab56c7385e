"""What operators look at works over SQS, and what all of it costs."""

import base64
import json
import shutil
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from annotations.tests.waiting import free_port, wait_until
from gas_project.tests.chaos.conftest import Report
from gas_project.tests.chaos.stand import Stand, workers
from tasks.tests.workers import Site, Worker

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.timeout(900)]

SMALL_JOBS, SINGLE_JOBS = 1000, 30
IDLE_SECONDS = 15


@contextmanager
def flower(stand: Stand) -> Iterator[Callable[[str], Any]]:
    """Flower's API, as it answers."""
    port, user = free_port(), "admin:word"
    stand.site.settings = {**stand.site.settings, "FLOWER_BASIC_AUTH": user}
    process = stand.start(
        *("-m", "celery", "--quiet", "--app", "gas_project", "flower", f"--port={port}"),
        *("--address=127.0.0.1", "--enable_events=False", "--logging=warning"),
    )

    def ask(path: str) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/{path}")
        request.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  as above
                return json.load(answer)
        except OSError:
            return {}

    yield ask
    process.terminate()
    process.wait(timeout=30)


def test_flower_lists_the_worker_and_a_task_within_ten_seconds_and_inspect_answers(
    stand: Stand, report: Report
) -> None:
    with flower(stand) as ask:
        wait_until(lambda: any("celeryev" in name for name in stand.site.queue_names()), timeout_seconds=60)
        with workers(stand, "w1"):
            stand.site.send("run", "seen by Flower")
            began = time.monotonic()
            wait_until(
                lambda: any(
                    task["name"] == "probe.run" and task["state"] == "SUCCESS"
                    for task in ask("tasks").values()
                ),
                timeout_seconds=10,
            )
            wait_until(lambda: "w1@test" in ask("workers?refresh=1"), timeout_seconds=10)
            report(f"Flower knew the task and its worker after {time.monotonic() - began:.1f} s")
            said = stand.run("-m", "celery", "--app", "gas_project", "inspect", "ping")
            assert "pong" in said
    wait_until(lambda: not any("celeryev" in name for name in stand.site.queue_names()))


def test_what_an_idle_worker_costs(stand: Stand, report: Report) -> None:
    calls: dict[str, float] = {}

    def count(name: str) -> None:
        before = stand.proxy.calls.total()
        time.sleep(IDLE_SECONDS)
        calls[name] = (stand.proxy.calls.total() - before) * 3600 / IDLE_SECONDS

    stand.site.settings = {**stand.site.settings, "GAS_REMOTE_CONTROL": "false"}
    with workers(stand, "plain"):
        count("without remote control")
    stand.site.settings = {**stand.site.settings, "GAS_REMOTE_CONTROL": "true"}
    with workers(stand, "w1"):
        count("with remote control and events")
        with flower(stand):
            wait_until(lambda: any("celeryev" in name for name in stand.site.queue_names()))
            time.sleep(3)  # its questions at the start are over
            count("and Flower")
    report("SQS and SNS requests an hour, idle: " + ", ".join(f"{n} {c:.0f}" for n, c in calls.items()))
    assert max(calls.values()) < 8_000


def test_a_thousand_small_jobs_beside_redis(stand: Stand, tmp_path: Path, report: Report) -> None:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server is installed on this machine")
    port = free_port()
    redis = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    try:
        url = f"redis://127.0.0.1:{port}/0"
        on_redis = Celery(broker=url, set_as_current=False)
        on_redis.conf.update(task_default_queue="default", broker_connection_retry_on_startup=True)
        # Not by way of the proxy, which is slower than the broker.
        stand.site = Site(stand.folder, f"http://127.0.0.1:{stand.broker_port}", 5, stand.site.settings)
        with workers(stand, "sqs") as running:
            sqs_rate, sqs_wait = measured(stand.site, running["sqs"], stand.site.app)
        stand.site.settings = {**stand.site.settings, "CHAOS_REDIS_URL": url}
        (tmp_path / "notes").unlink()
        with workers(stand, "redis") as running:
            redis_rate, redis_wait = measured(stand.site, running["redis"], on_redis)
    finally:
        redis.kill()
        redis.wait(timeout=10)
    report(
        f"{SMALL_JOBS} small jobs: SQS {sqs_rate:.0f}/s, Redis {redis_rate:.0f}/s, "
        f"ratio {sqs_rate / redis_rate:.2f}; "
        f"from enqueuing to start: SQS {sqs_wait * 1000:.0f} ms, Redis {redis_wait * 1000:.0f} ms"
    )


def measured(site: Site, worker: Worker, app: Celery) -> tuple[float, float]:
    """Jobs a second of many at once, and the median wait of single ones in seconds."""
    waits = []
    for number in range(SINGLE_JOBS):
        app.send_task("probe.stamp", args=(f"single {number}", time.time()))
        wait_until(lambda number=number: any(f"single {number} " in n for n in site.notes()))  # type: ignore[misc]
        waits.append(float(site.notes()[-1].split()[-1]))
    began = time.monotonic()
    for number in range(SMALL_JOBS):
        app.send_task("probe.stamp", args=(f"many {number}", time.time()))
    wait_until(lambda: len(site.notes_of("many")) >= SMALL_JOBS, timeout_seconds=120)
    assert worker.is_running(), worker.log()
    return SMALL_JOBS / (time.monotonic() - began), statistics.median(waits)


def test_z_the_long_task_ran_once(long_task: Callable[[], list[str]]) -> None:
    assert long_task() == ["long begins", "long ends"]
