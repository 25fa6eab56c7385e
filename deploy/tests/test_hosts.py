"""What runs on hosts: user data, units and scripts."""

import base64
import gzip
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.hosts import drain, fetch_secrets
from deploy.stack import hosts
from deploy.stack.configuration import load
from gas_project import environment
from tasks.queues import QUEUE_NAMES

DEPLOY = Path(__file__).resolve().parent.parent
UNITS = DEPLOY / "hosts" / "systemd"
ROLES = ("web", "worker", "control")
OUTPUTS = {
    "StorageEventsQueueName": "gas-storage-events",
    "JobResultsTopic": "arn:aws:sns:eu-central-1:111122223333:gas-job-results",
    "InputsBucket": "gas-inputs-111122223333-eu-central-1",
    "ResultsBucket": "gas-results-111122223333-eu-central-1",
    "ColdBucket": "gas-cold-111122223333-eu-central-1",
    "StaticUrl": "https://d111111abcdef8.cloudfront.net/",
    "SettingsSecret": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:gas/settings-AbCdEf",
    "DatabaseSecret": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:gas/database-AbCdEf",
    "DatabaseAddress": "gas.c0123456789a.eu-central-1.rds.amazonaws.com",
    "ReleasesBucket": "gas-releases-111122223333-eu-central-1",
}
KEY = "-----BEGIN PUBLIC KEY-----\n" + "M" * 64 + "\n" + "E" * 60 + "\n-----END PUBLIC KEY-----\n"


@pytest.fixture
def installation() -> hosts.Installation:
    return hosts.Installation("gas", "0123456789ab", load(DEPLOY / "example.toml"), OUTPUTS, KEY)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def written(text: str) -> dict[str, str]:
    """The files that cloud-init writes, by path."""
    return {part["path"]: part["content"] for part in yaml.safe_load(text)["write_files"]}


@pytest.mark.parametrize("role", ROLES)
def test_the_user_data_is_what_cloud_init_understands(
    role: str, installation: hosts.Installation, tmp_path: Path
) -> None:
    cloud_init = shutil.which("cloud-init")
    if cloud_init is None:
        pytest.skip("cloud-init is not installed: apt-get install cloud-init")
    path = tmp_path / "user-data.yaml"
    path.write_text(hosts.user_data(role, installation))
    done = subprocess.run(
        [cloud_init, "schema", "--config-file", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Valid" in done.stdout


@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_the_user_data_is_left_to_fill_in_and_it_fits_a_parameter(
    role: str, installation: hosts.Installation
) -> None:
    text = hosts.user_data(role, installation)
    assert not re.findall(r"@[A-Z_]+@", text)
    packed = hosts.packed(text)
    assert len(packed) <= 4096
    assert gzip.decompress(base64.b64decode(packed)).decode() == text


@pytest.mark.parametrize("role", ROLES)
def test_the_scripts_of_a_host_are_scripts(
    role: str, installation: hosts.Installation, tmp_path: Path
) -> None:
    boot = written(hosts.user_data(role, installation))["/usr/local/sbin/gas-boot"]
    (tmp_path / "boot").write_text(boot)
    for path in (tmp_path / "boot", DEPLOY / "hosts" / "install.sh"):
        done = run("/bin/bash", "-n", str(path))
        assert (done.returncode, done.stderr) == (0, "")


def test_the_settings_of_a_host_are_settings_of_the_service(installation: hosts.Installation) -> None:
    lines = written(hosts.user_data("web", installation))["/etc/gas/gas.env"].splitlines()
    values = dict(line.split("=", 1) for line in lines)
    found, wrong, unknown = environment.load(values)
    assert (wrong, unknown) == ([], [])
    assert found.inputs_bucket == OUTPUTS["InputsBucket"]
    assert found.broker_url == "aws"
    assert found.jobs_database == "dynamodb"
    assert found.trusted_proxies == 1


def test_a_host_is_told_of_no_secret_but_its_name(installation: hosts.Installation) -> None:
    assert "SETTINGS_SECRET" in hosts.host_environment("web", installation)
    assert "DATABASE_SECRET" in hosts.host_environment("worker", installation)
    assert not [name for name in hosts.host_environment("control", installation) if "SECRET" in name]


def test_a_value_that_would_break_out_of_its_file_is_refused(installation: hosts.Installation) -> None:
    installation.config.settings["GAS_MAIL_FROM"] = "a\nROLE=web"
    with pytest.raises(ValueError, match="GAS_MAIL_FROM"):
        hosts.user_data("web", installation)


# Units


def rendered(folder: Path) -> list[Path]:
    """The units, with programs that are on this machine in the place of a host's."""
    shutil.copytree(UNITS, folder, dirs_exist_ok=True)
    binaries = str(Path(sys.executable).parent)
    for path in folder.iterdir():
        path.write_text(path.read_text().replace("/opt/gas/current/venv/bin", binaries))
    return sorted(folder.iterdir())


def test_systemd_has_nothing_to_say_against_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    units = rendered(tmp_path / "units")
    done = subprocess.run(
        [analyze, "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def section(name: str) -> dict[str, list[str]]:
    """A unit's settings; each may be given several times."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_worker_takes_from_every_queue() -> None:
    (command,) = section("gas-worker.service")["ExecStart"]
    (queues,) = re.findall(r"--queues (\S+)", command)
    assert queues.split(",") == list(QUEUE_NAMES)


def test_a_worker_that_is_stopped_may_finish_longer_than_any_task_takes() -> None:
    unit = section("gas-worker.service")
    (seconds,) = re.findall(r"--seconds (\d+)", unit["ExecStop"][0])
    assert int(seconds) >= environment.Environment.model_fields["task_time_limit_seconds"].default
    assert int(unit["TimeoutStopSec"][0]) > int(seconds) + drain.GIVE_BACK_SECONDS
    assert unit["KillMode"] == ["mixed"]
    assert int(seconds) == drain.FINISH_SECONDS


def test_units_hand_over_the_secrets_that_hosts_fetch() -> None:
    for name in ("gas-web.service", "gas-worker.service", "gas-migrate.service"):
        handed = [value.split(":")[0] for value in section(name)["LoadCredential"]]
        assert handed == list(fetch_secrets.NAMES), name
    assert all(
        environment.Environment.model_fields[name.removeprefix("GAS_").lower()]
        for name in fetch_secrets.NAMES
    )


def test_services_run_as_nobody_in_particular_and_may_do_little() -> None:
    for path in UNITS.glob("gas-*.service"):
        unit = section(path.name)
        if path.stem in {"gas-secrets", "gas-drain", "gas-restart-worker"}:
            continue  # these act for the host
        assert unit["User"] == ["gas"], path.name
        assert unit["NoNewPrivileges"] == ["yes"], path.name
        assert unit["ProtectSystem"] == ["strict"], path.name


def test_who_counts_has_a_folder_to_count_in() -> None:
    for path in UNITS.glob("gas-*.service"):
        unit = section(path.name)
        if any("celery" in command or "run_flower" in command for command in unit.get("ExecStart", ())):
            assert "/usr/bin/mkdir -p /var/lib/gas/run/metrics" in unit["ExecStartPre"], path.name


def test_every_unit_of_a_role_is_there() -> None:
    script = (DEPLOY / "hosts" / "install.sh").read_text()
    for role in ROLES:
        (units,) = re.findall(rf'^  {role}\) units="(.*)" ;;$', script, flags=re.MULTILINE)
        for name in units.split():
            assert (UNITS / (name if "." in name else f"{name}.service")).exists(), name


# Secrets


class FakeSecrets:
    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803  its name
        return {"SecretString": self.values[SecretId]}


def test_secrets_become_files_for_their_owner_alone_and_then_settings(tmp_path: Path) -> None:
    client = FakeSecrets(
        {
            "settings": '{"GAS_SECRET_KEY": "hush", "GAS_STRIPE_API_KEY": ""}',
            "database": '{"username": "gas", "password": "a/b@c"}',
        }
    )
    names = {"SETTINGS_SECRET": "settings", "DATABASE_SECRET": "database", "DATABASE_ADDRESS": "db.example"}
    fetch_secrets.write(tmp_path / "credentials", fetch_secrets.collected(client, names))
    files = list((tmp_path / "credentials").iterdir())
    assert {path.name for path in files} == set(fetch_secrets.NAMES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}

    found, wrong, unknown = environment.load({"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")})
    assert (wrong, unknown) == ([], [])
    assert (found.secret_key, found.stripe_api_key) == ("hush", "")
    database = environment.postgresql(found.database_url)
    assert (database["PASSWORD"], database["HOST"]) == ("a/b@c", "db.example")
    assert database["OPTIONS"] == {"sslmode": "require"}


def test_a_host_that_may_know_no_secret_asks_for_none() -> None:
    assert set(fetch_secrets.collected(FakeSecrets({}), {}).values()) == {""}


# Draining


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class FakeWorker:
    """Works for `busy_seconds` after it was told to stop, unless it is told to give its jobs back."""

    def __init__(self, clock: Clock, busy_seconds: float) -> None:
        self.clock, self.busy_seconds = clock, busy_seconds
        self.said: list[str] = []

    def begin_stop(self) -> None:
        self.said.append("stop")
        self._ends_at = self.clock() + self.busy_seconds

    def give_back(self) -> None:
        self.said.append("give back")
        self._ends_at = self.clock() + 2

    def is_active(self) -> bool:
        return self.clock() < self._ends_at


class FakeHook:
    def __init__(self) -> None:
        self.said: list[str] = []

    def heartbeat(self) -> None:
        self.said.append("heartbeat")

    def complete(self) -> None:
        self.said.append("complete")


def drained(busy_seconds: float, seconds: float) -> tuple[FakeWorker, FakeHook, float]:
    clock = Clock()
    worker, hook = FakeWorker(clock, busy_seconds), FakeHook()
    drain.drain(worker, hook, seconds, clock, clock.sleep)
    return worker, hook, clock.now


def test_a_host_goes_when_its_last_job_is_done_and_no_job_is_given_back() -> None:
    worker, hook, took_seconds = drained(busy_seconds=500, seconds=3600)
    assert worker.said == ["stop"]
    assert hook.said == ["heartbeat"] * 4 + ["complete"]
    assert took_seconds == pytest.approx(500, abs=2)


def test_jobs_are_given_back_once_when_the_time_is_over() -> None:
    worker, hook, took_seconds = drained(busy_seconds=5000, seconds=80)
    assert worker.said == ["stop", "give back"]
    assert hook.said == ["complete"]
    assert took_seconds < 120


def test_heartbeats_come_well_before_the_hook_gives_up() -> None:
    from deploy.reading import properties

    (hook,) = properties("workers", "Group")["LifecycleHookSpecificationList"]
    assert hook["HeartbeatTimeout"] > drain.HEARTBEAT_EVERY_SECONDS * 2
    assert hook["HeartbeatTimeout"] > drain.HEARTBEAT_EVERY_SECONDS * 2 + drain.SPOT_SECONDS


@pytest.fixture
def metadata() -> Iterator[tuple[drain.Metadata, dict[str, str]]]:
    """The metadata service of an instance, and what it has to tell."""
    told: dict[str, str] = {}

    class Service(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self._answer("token")

        def do_GET(self) -> None:
            assert self.headers["X-aws-ec2-metadata-token"] == "token"
            self._answer(told.get(self.path.removeprefix("/latest/meta-data/")))

        def _answer(self, text: str | None) -> None:
            self.send_response(404 if text is None else 200)
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield drain.Metadata(f"http://127.0.0.1:{server.server_port}"), told
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_host_notices_that_it_is_wanted_back(metadata: tuple[drain.Metadata, dict[str, str]]) -> None:
    service, told = metadata
    assert service.seconds_left() is None
    told["autoscaling/target-lifecycle-state"] = "InService"
    assert service.seconds_left() is None
    told["autoscaling/target-lifecycle-state"] = "Terminated"
    assert service.seconds_left() == drain.FINISH_SECONDS
    told["spot/instance-action"] = '{"action": "terminate"}'
    assert service.seconds_left() == drain.SPOT_SECONDS


BUSY = """
import signal, sys, time
signal.signal(signal.SIGTERM, {handler})
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def busy_process() -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(handler: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", BUSY.format(handler=handler)], stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        threading.Thread(target=process.wait, daemon=True).start()  # as systemd does, so that no zombie stays
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()


def test_a_process_that_ends_by_itself_is_not_hurried(
    busy_process: Callable[[str], subprocess.Popen[bytes]],
) -> None:
    process = busy_process("lambda *_: sys.exit(0)")
    assert drain.finish(process.pid, seconds=10) is True
    assert process.wait(timeout=10) == 0


def test_a_process_that_goes_on_for_too_long_is_told_to_give_its_jobs_back(
    busy_process: Callable[[str], subprocess.Popen[bytes]],
) -> None:
    process = busy_process("signal.SIG_IGN")
    assert drain.finish(process.pid, seconds=0.3) is False
    assert process.wait(timeout=10) == -signal.SIGQUIT


def test_a_process_that_is_gone_needs_no_finish() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(timeout=30)
    assert drain.finish(process.pid, seconds=1) is True
    assert os.getpid() != process.pid
