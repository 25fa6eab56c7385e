"""Log lines bear what an operator looks for, and every event is explained."""

import json
import logging
import re
from typing import Any

import pytest
import structlog

from gas_project.celery import bind_ids, unbind_ids
from gas_project.environment import BASE_DIR
from gas_project.logs import logging_config
from tasks.pipeline import annotate


def test_every_event_is_on_the_operators_page() -> None:
    apps = [BASE_DIR / app for app in ("annotations", "archival", "billing", "gas_project", "tasks")]
    sources = [path for app in apps for path in app.rglob("*.py") if "tests" not in path.parts]
    call = re.compile(r'\blog\.(?:info|warning|error|exception)\(\s*"(\w+)"')
    events = {event for path in sources for event in call.findall(path.read_text())}
    page = (BASE_DIR / "docs" / "operators.md").read_text()
    assert "job_completed" in events
    assert [event for event in sorted(events) if f"`{event}`" not in page] == []


@pytest.fixture
def formatter() -> Any:
    config = logging_config(as_json=True)["formatters"]["structured"]
    return structlog.stdlib.ProcessorFormatter(**{key: value for key, value in config.items() if key != "()"})


def test_every_line_of_a_task_bears_its_ids(formatter: Any, caplog: pytest.LogCaptureFixture) -> None:
    bind_ids(task_id="task-1", task=annotate, args=["job-1"])
    structlog.get_logger("any").warning("something_happened")
    line = json.loads(formatter.format(caplog.records[-1]))
    unbind_ids(task_id="task-1", task=annotate)
    assert {"task": "tasks.annotate", "task_id": "task-1", "job_id": "job-1"}.items() <= line.items()
    structlog.get_logger("any").warning("something_else")
    assert "job_id" not in json.loads(formatter.format(caplog.records[-1]))


def test_a_traceback_shows_no_values(formatter: Any, caplog: pytest.LogCaptureFixture) -> None:
    def fail(password: str) -> None:
        raise ValueError("no")

    try:
        fail("hush-" + "hush")
    except ValueError:
        logging.getLogger("any").exception("failed")
    line = formatter.format(caplog.records[-1])
    assert "ValueError: no" in json.loads(line)["exception"]
    assert "hush-hush" not in line
