"""Fetch the tests of the installed Django, run them app by app, and print the table: `make django-suite`.

The tests are in Django's source archive alone, so that is fetched, into a cache folder that is the argument.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import django

from annotations.dynamodb.tests.servers import dynalite

APPS = (
    "basic", "lookup", "update", "delete", "get_or_create", "bulk_create", "ordering", "pagination", "defer",
    "expressions", "admin_changelist",
)  # fmt: skip
OUTCOMES = ("pass", "not supported", "skip", "fail")
FETCH_SECONDS = 600
APP_SECONDS = 1800
ROOT = Path(__file__).resolve().parents[4]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=lambda folder: Path(folder).resolve())
    parser.add_argument("--write", type=Path, help="a page of the docs to write the table to")
    parser.add_argument("apps", nargs="*", help="apps to run; default: all")
    arguments = parser.parse_args()
    tests = fetched_tests(arguments.cache)
    results = {}
    with dynalite() as database:
        for app in arguments.apps or APPS:
            results[app] = run(app, tests, database["OPTIONS"]["endpoint_url"], arguments.cache)
            print(app, dict(Counter(results[app]["outcomes"].values())), file=sys.stderr)
    page = table(results)
    print(page)
    (arguments.cache / "outcomes.json").write_text(json.dumps(results, indent=1))
    if arguments.write:
        arguments.write.write_text(page)
    sys.exit(any(explanation(test, reason) is None for test, reason in failures(results).items()))


def fetched_tests(cache: Path) -> Path:
    version = django.__version__
    source = cache / f"django-{version}"
    if not (source / "tests" / "runtests.py").exists():
        cache.mkdir(parents=True, exist_ok=True)
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*fetch, "--dest", cache, f"django=={version}"], check=True, timeout=FETCH_SECONDS)
        with tarfile.open(source.with_name(source.name + ".tar.gz")) as archive:
            archive.extractall(cache, filter="data")
        # Django has tests of this name too, and would import them in the place of this package.
        shutil.rmtree(source / "tests" / "annotations")
    return source / "tests"


def run(app: str, tests: Path, endpoint_url: str, cache: Path) -> dict[str, dict[str, str]]:
    """Outcomes and their reasons, by test."""
    outcome = cache / f"{app}.json"
    outcome.unlink(missing_ok=True)
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "DJANGO_SUITE_ENDPOINT_URL": endpoint_url,
        "DJANGO_SUITE_OUTCOME": str(outcome.resolve()),
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    settings = "--settings=annotations.dynamodb.tests.django_suite.settings"
    command = [sys.executable, str(tests / "runtests.py"), settings, "--parallel=1", app]
    with (cache / f"{app}.log").open("wb") as log:
        subprocess.run(
            command, env=environment, stdout=log, stderr=log, timeout=APP_SECONDS, check=False, cwd=tests
        )
    if not outcome.exists():
        raise SystemExit(f"{app} did not run: see {cache / app}.log")
    result: dict[str, dict[str, str]] = json.loads(outcome.read_text())
    return result


def table(results: dict[str, Any]) -> str:
    lines = [
        "# Django's own tests over DynamoDB",
        "",
        f"Tests of Django {django.__version__} on the emulator dynalite. *Not supported*: the test asks for",
        "something that the backend refuses by name. *Skip*: by Django, for what it is told can't be done.",
        "`make django-suite` makes this page anew.",
        "",
        "| app | " + " | ".join(OUTCOMES) + " |",
        "|---|" + "---|" * len(OUTCOMES),
    ]
    total: Counter[str] = Counter()
    for app, result in results.items():
        counts = Counter(result["outcomes"].values())
        total += counts
        lines.append(f"| {app} | " + " | ".join(str(counts[outcome]) for outcome in OUTCOMES) + " |")
    lines.append("| **all** | " + " | ".join(str(total[outcome]) for outcome in OUTCOMES) + " |")
    if failed := failures(results):
        lines += [
            "",
            "## The failures",
            "",
            "None is a wrong answer to a query.",
            "",
            "| test | why |",
            "|---|---|",
        ]
        for test, reason in failed.items():
            lines.append(f"| `{test}` | {explanation(test, reason) or 'NOT EXPLAINED: ' + short(reason)} |")
    return "\n".join(lines) + "\n"


def failures(results: dict[str, Any]) -> dict[str, str]:
    return {
        test: result["reasons"][test]
        for result in results.values()
        for test, outcome in result["outcomes"].items()
        if outcome == "fail"
    }


def short(reason: str) -> str:
    return " ".join(reason.split())[:200].replace("|", "\\|")


PER_ROW = "counts the statements of a database that writes many rows by one; here each row is a request"
UNIQUE = "waits for the refusal of a value that is unique by another column than the primary key"
EXPLAINED = {
    "basic.tests.SelectOnSaveTests.test_select_on_save_lying_update": (
        "waits for further queries to be refused in an atomic block that failed; here it has nothing to undo"
    ),
    "bulk_create.tests.BulkCreateTests.test_ignore_conflicts_ignore": UNIQUE,
    "bulk_create.tests.BulkCreateTests.test_large_batch_efficiency": PER_ROW,
    "bulk_create.tests.BulkCreateTests.test_large_batch_mixed_efficiency": PER_ROW,
    "get_or_create.tests.GetOrCreateTestsWithManualPKs.test_savepoint_rollback": UNIQUE,
}


def explanation(test: str, reason: str) -> str | None:
    if re.search(r"\d queries executed, \d+ expected", reason):
        return PER_ROW
    if re.search(r"not found in ['\"](get_item|query|scan) ", reason):
        return "looks for SQL in the text of the query"
    return EXPLAINED.get(test)


if __name__ == "__main__":
    main()
