"""`make load-test`: 100, then 300 people on the site, and a burst of jobs; the table of docs/load.md."""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from annotations.dynamodb.tests.servers import dynalite
from annotations.engine.demo import sample_of
from annotations.tests.waiting import free_port, wait_until
from deploy.tests.rehearse import stage
from deploy.tests.rehearse.account import make_tables
from deploy.tests.rehearse.units import DEPLOY
from deploy.tests.rehearse.visitor import Visitor

LOCUST = DEPLOY.parent / ".venv-load" / "bin" / "locust"
PEOPLE = Path(__file__).with_name("people.py")
COUNT, JOBS_EACH = 300, 40
BURST = 60
BURST_SECONDS = 600
MOST = {"GAS_FREE_JOBS_AT_ONCE": "1000", "GAS_FREE_JOBS_A_DAY": "10000", "GAS_WEB_PROCESSES": "2"}
BEGIN, END = "<!-- begin of {} -->", "<!-- end of {} -->"


@dataclass(frozen=True)
class Target:
    """A running service, and the environment in which its own code finds its stores."""

    site_url: str
    environment: dict[str, str]
    references: Path


@contextmanager
def run(folder: Path) -> Iterator[Target]:
    """`make run`, with two web processes for two cores."""
    ports = {
        f"GAS_{name}": str(free_port())
        for name in ("PORT", "BROKER_PORT", "STRIPE_STANDIN_PORT", "FLOWER_PORT")
    }
    state = folder / "var"
    state.mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("GAS_", "AWS_"))}
    environment |= {"GAS_STATE_DIR": str(state), **ports, **MOST}
    lines: list[str] = []
    process = subprocess.Popen(
        [sys.executable, str(DEPLOY.parent / "manage.py"), "runservice"],
        env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    output = process.stdout
    threading.Thread(target=lambda: lines.extend(output), daemon=True).start()
    try:
        wait_until(lambda: any("ready: open" in line for line in lines), timeout_seconds=90)
        yield Target(f"http://127.0.0.1:{ports['GAS_PORT']}", environment, state / "references")
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def rehearse(folder: Path) -> Iterator[Target]:
    """The profile of AWS over emulators, without the stores of one machine."""
    kept = {"GAS_FREE_RETENTION_SECONDS": "604800", "WEB_PROCESSES": "1", "GAS_SCATTER_BYTES": "8000000"}
    with dynalite() as database:
        # ministack looks at all 12,000 jobs for a query of an index, where DynamoDB reads a range of it.
        url = database["OPTIONS"]["endpoint_url"]
        make_tables(url)
        own = {"AWS_ENDPOINT_URL_DYNAMODB": url}
        with stage.service(folder, **(MOST | kept | own)) as made:
            yield Target(made.site_url, made.hosts[0].environment("gas-web.service"), folder / "references")


def people(target: Target, folder: Path) -> Path:
    """They have jobs that look like one that was really annotated."""
    visitor = Visitor(target.site_url, "first@example.org")
    visitor.sign_up()
    job = visitor.annotate("sample.vcf", sample_of(target.references).read_bytes())
    wait_until(lambda: visitor.result(job) is not None, timeout_seconds=90)
    path = folder / "sessions.json"
    environment = target.environment | {
        "DJANGO_SETTINGS_MODULE": "gas_project.settings",
        "PYTHONPATH": str(DEPLOY.parent),
    }
    with path.open("wb") as file:
        command = [sys.executable, str(PEOPLE), str(COUNT), str(JOBS_EACH), visitor.email]
        subprocess.run(command, env=environment, stdout=file, check=True, timeout=600)
    return path


def crowd(target: Target, sessions: Path, folder: Path, step_seconds: int) -> list[dict[str, str]]:
    """What locust counted while 300 were there, a row for each kind of page."""
    environment = os.environ | {"LOAD_SESSIONS": str(sessions), "LOAD_STEP_SECONDS": str(step_seconds)}
    subprocess.run(
        [
            *(str(LOCUST), "--headless", "--only-summary", "--host", target.site_url),
            *("--locustfile", str(DEPLOY / "load" / "locustfile.py"), "--csv", str(folder / "load")),
            *("--exit-code-on-error", "0"),
        ],
        env=environment, check=True, timeout=step_seconds * 6 + 120, capture_output=True,
    )  # fmt: skip
    with (folder / "load_stats.csv").open() as file:
        return list(csv.DictReader(file))


def burst(target: Target) -> float:
    """Submit jobs as fast as it goes; the seconds until the last is annotated. None may be lost."""
    visitor = Visitor(target.site_url, "burst@example.org")
    visitor.sign_up()
    content = sample_of(target.references).read_bytes()
    began = time.monotonic()
    jobs = [visitor.annotate(f"burst{n}.vcf", content) for n in range(BURST)]
    for job in jobs:
        left = BURST_SECONDS - (time.monotonic() - began)
        wait_until(lambda job=job: "Completed" in visitor.get(f"/jobs/{job}/").text, timeout_seconds=left)  # type: ignore[misc]
    return time.monotonic() - began


def table(rows: list[dict[str, str]], burst_seconds: float) -> str:
    lines = [
        "| page | requests | a second | failed | median, ms | p95, ms | p99, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        name = "all" if row["Name"] == "Aggregated" else row["Name"]
        counts = [row["Request Count"], f"{float(row['Requests/s']):.1f}", row["Failure Count"]]
        lines.append(f"| {' | '.join([name, *counts, row['50%'], row['95%'], row['99%']])} |")
    lines += [
        "",
        f"Burst: {BURST} of {BURST} jobs were annotated, the last {burst_seconds:.0f} s after the first",
    ]
    lines[-1] += " was sent."
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", choices=("run", "rehearse"), required=True)
    parser.add_argument("--step-seconds", type=int, default=30)
    parser.add_argument("--page", type=Path, help="write the table into this page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gas-load-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with {"run": run, "rehearse": rehearse}[options.against](folder) as target:
            sessions = people(target, folder)
            rows = crowd(target, sessions, folder, options.step_seconds)
            text = table(rows, burst(target))
    print(text)
    if options.page:
        begin, end = BEGIN.format(options.against), END.format(options.against)
        before, _, rest = options.page.read_text().partition(begin)
        options.page.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}")


if __name__ == "__main__":
    main()
