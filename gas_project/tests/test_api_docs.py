"""What docs/api.md shows is true: its curl lines work, and its `gas` lines can be said."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from annotations.api import tokens
from annotations.api.api import api
from annotations.api.models import Scope
from annotations.api.tests.arriving import upload_of
from annotations.api.tests.conftest import Caller
from annotations.cli.main import parser
from annotations.results.tests.conftest import demo_files, demo_references, publish
from gas_project.environment import BASE_DIR

__all__ = ["demo_files", "demo_references", "publish"]
TEXT = (BASE_DIR / "docs" / "api.md").read_text()
LINES = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
CURL = [line for line in LINES if line.startswith("curl ")]
GAS = [command for line in LINES for command in re.findall(r"\bgas [a-z][^;|#>]*", line.partition("  #")[0])]


@pytest.fixture
def words(user: Any, settings: Any, publish: Any, demo_files: Any, demo_references: Any) -> dict[str, str]:
    """What stands for the words of the examples."""
    settings.REFERENCES_DIR = demo_references
    return {
        "JOB": publish(user, demo_files).job_id,
        "UPLOAD": upload_of(Caller(user)),
        "$GAS_TOKEN": tokens.make(user, "docs", list(Scope))[1],
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("line", CURL)
def test_each_curl_line_works(line: str, words: dict[str, str], live_server: Any, tmp_path: Path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed on this machine")
    for word, value in {**words, "$GAS_URL": live_server.url}.items():
        line = line.replace(word, value)
    done = subprocess.run(
        [*shlex.split(line), "--fail", "--show-error", "--max-time", "20"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, (line, done.stderr)


def test_there_are_lines_to_try():
    assert len(CURL) >= 6 and len(GAS) >= 10


@pytest.mark.parametrize("command", GAS)
def test_each_gas_line_can_be_said(command: str):
    assert parser().parse_args(shlex.split(command)[1:]).do


def test_every_command_of_gas_is_in_the_docs():
    named = {command.split()[1] for command in GAS}
    subcommands = next(action for action in parser()._actions if action.choices)
    assert set(subcommands.choices or ()) - named == {"logout"}


def test_every_operation_that_the_docs_name_exists():
    schema = api.get_openapi_schema()
    known = {
        f"{method.upper()} {re.sub('{[^}]*}', 'ID', path).removeprefix('/api/v1')}"
        for path, operations in schema["paths"].items()
        for method in operations
    }
    named = re.findall(r"`((?:GET|POST|PATCH|DELETE) /[a-zA-Z/-]+)`", TEXT)
    assert len(named) > 5 and set(named) <= known
