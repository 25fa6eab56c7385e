"""docs/self-hosting.md, done: the units' commands on one machine, with PostgreSQL and nginx."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from annotations.dynamodb.tests.servers import NotInstalled, postgresql
from annotations.engine.demo import build_demo, sample_of
from annotations.tests.waiting import free_port, wait_until
from deploy.hosts.fetch_secrets import NAMES
from deploy.tests.rehearse.units import DEPLOY, UNITS, Host
from deploy.tests.rehearse.visitor import Visitor

pytestmark = pytest.mark.journey

PAGE = (DEPLOY.parent / "docs" / "self-hosting.md").read_text()


def block(after: str) -> str:
    """The code block that follows a text of the page."""
    return PAGE.partition(after)[2].partition("```")[2].partition("\n")[2].partition("```")[0]


def settings() -> dict[str, str]:
    return dict(line.split("=", 1) for line in block("/etc/gas/gas.env").strip().splitlines())


def test_the_page_enables_units_that_are_there() -> None:
    (names,) = re.findall(r"systemctl enable --now (.*)", PAGE)
    for name in names.split():
        assert (UNITS / (name if "." in name else f"{name}.service")).exists(), name


def test_the_page_makes_a_file_for_each_secret_that_a_unit_wants() -> None:
    text = block("systemd hands them to the services")
    assert all(name in text for name in NAMES)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, str]]:
    """The services as the page has them, but for ports and names, and the address of nginx before them."""
    folder = tmp_path_factory.mktemp("server")
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if nginx is None:
        pytest.skip("nginx is not installed: apt-get install nginx")
    broker, web, front = free_port(), free_port(), free_port()
    with ExitStack() as stack:
        try:
            database = stack.enter_context(postgresql())
        except NotInstalled as missing:
            pytest.skip(str(missing))
        site = f"http://127.0.0.1:{front}"
        here = {
            "GAS_SITE_URL": site,
            "GAS_ALLOWED_HOSTS": "127.0.0.1",
            "GAS_REFERENCES_DIR": str(folder / "references"),
            "GAS_STATIC_DIR": str(folder / "static"),
            "GAS_MAIL_HOST": "",
            "GAS_BROKER_PORT": str(broker),
            "GATEWAY_PORT": str(broker),
            "WEB_BIND": f"127.0.0.1:{web}",
            "WEB_PROCESSES": "1",
            "GAS_REMOTE_CONTROL": "false",
            "PYTHONPATH": str(DEPLOY.parent),
        }
        values = {name: value for name, value in (settings() | here).items() if value}
        secrets = dict.fromkeys(NAMES, "") | {
            "GAS_SECRET_KEY": "of-the-test",
            "GAS_DATABASE_URL": "postgresql://{USER}:none@{HOST}:{PORT}/{NAME}".format(**database),
        }
        host = Host("server", folder / "server", values, secrets)
        stack.callback(host.close)
        build_demo(folder / "references")
        host.python("import django; django.setup(); from django.core.management import call_command; "
                    "call_command('collectstatic', interactive=False, verbosity=0)")  # fmt: skip
        host.start("gas-broker.service")
        host.run("gas-migrate.service", seconds=120)
        for unit in ("gas-web.service", "gas-worker.service", "gas-beat.service"):
            host.start(unit)
        config = folder / "nginx.conf"
        (folder / "temporary").mkdir()
        config.write_text(_nginx(folder, front, web))
        process = subprocess.Popen([nginx, "-c", str(config), "-e", str(folder / "nginx.log")])
        stack.callback(process.wait, timeout=20)
        stack.callback(process.terminate)
        wait_until(lambda: _is_up(site), timeout_seconds=60)
        wait_until((host.folder / "run" / "worker-ready").exists, timeout_seconds=60)
        yield host, site


def _nginx(folder: Path, front: int, web: int) -> str:
    """The page's server, in the frame of a program that belongs to the test."""
    server = block("adds HTTPS").replace("listen 80;", f"listen 127.0.0.1:{front};")
    server = server.replace("gas.example.org", "127.0.0.1").replace("127.0.0.1:8000", f"127.0.0.1:{web}")
    # The site's own address, whose port a public one has not.
    server = server.replace("proxy_set_header Host $host;", "proxy_set_header Host $host:$server_port;")
    folders = "".join(
        f"{kind}_temp_path {folder}/temporary/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"{_user()}daemon off; pid {folder}/nginx.pid; worker_processes 1; events {{}}\n"
        f"http {{ access_log off; {folders}\n{server}}}\n"
    )


def _user() -> str:
    """Root's nginx would hand over to nobody, who may not look into the test's folder."""
    return "user root; " if os.geteuid() == 0 else ""


def _is_up(site: str) -> bool:
    try:
        return requests.get(f"{site}/healthz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def test_a_file_is_annotated_behind_nginx_and_its_result_downloaded(server: tuple[Host, str]) -> None:
    host, site = server
    visitor = Visitor(site, "ada@example.org")
    visitor.sign_up()
    job = visitor.annotate("sample.vcf", sample_of(host.folder.parent / "references").read_bytes())
    wait_until(lambda: visitor.result(job) is not None, timeout_seconds=60)
    result = visitor.result(job)
    assert result is not None
    assert "CSQ=" in result


def test_static_files_have_their_hash_in_their_names_and_may_be_kept(server: tuple[Host, str]) -> None:
    page = requests.get(server[1], timeout=10).text
    (name,) = set(re.findall(r'href="(/static/gas/site\.[0-9a-f]{12}\.css)"', page))
    answer = requests.get(server[1] + name, timeout=10)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_database_is_restored_by_the_drill(server: tuple[Host, str], tmp_path: Path) -> None:
    dump, restore = shutil.which("pg_dump"), shutil.which("pg_restore")
    if dump is None or restore is None:
        pytest.skip("pg_dump is not installed: apt-get install postgresql")
    url = (server[0].credentials / "GAS_DATABASE_URL").read_text()
    (taken,) = re.findall(r"pg_dump (--format=\w+) ", PAGE)
    (given,) = re.findall(r"pg_restore (--clean --if-exists --no-owner) ", PAGE)
    copy = str(tmp_path / "gas.dump")
    subprocess.run([dump, taken, f"--file={copy}", url], check=True, timeout=60)
    subprocess.run([restore, *given.split(), f"--dbname={url}", copy], check=True, timeout=60)
    visitor = Visitor(server[1], "grace@example.org")
    visitor.sign_up()
