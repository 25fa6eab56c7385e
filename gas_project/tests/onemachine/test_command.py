"""`gas` in a shell, with the real service behind a real socket that breaks."""

import gzip
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotations.engine.building import BundleRecipe, build_bundle
from annotations.tests.waiting import free_port, wait_until
from gas_project.environment import BASE_DIR
from gas_project.tests.onemachine.cutting import CuttingProxy
from gas_project.tests.onemachine.service import Service

pytestmark = pytest.mark.journey
PART_BYTES = 65_536
REFERENCE = "chr21/1"


@pytest.fixture(scope="module")
def proxy_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def variables(proxy_port: int, tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> dict[str, str]:
    """The site's address is that of the proxy, so that every part of an upload goes that way."""
    references = tmp_path_factory.mktemp("references")
    data = shared_data / "grch38_chr21"
    fasta, genes = data / "GRCh38.chr21.slice_masked.fa.gz", data / "Ensembl.GRCh38.chr21.gff3.gz"
    build_bundle(BundleRecipe("chr21", "1", fasta, genes, ()), references)
    return {
        "GAS_SITE_URL": f"http://127.0.0.1:{proxy_port}",
        "GAS_REFERENCES_DIR": str(references),
        "GAS_UPLOAD_PART_BYTES": str(PART_BYTES),
        "GAS_FREE_JOBS_AT_ONCE": "2",
        "GAS_FREE_REQUESTS_A_MINUTE": "10000",
    }


@pytest.fixture(scope="module")
def proxy(service: Service, proxy_port: int) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(proxy_port, int(service.environment["GAS_PORT"]))
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def token(service: Service) -> str:
    code = """
import django; django.setup()
from annotations.api import tokens
from gas_project.accounts.models import User
print(tokens.make(User.objects.get(email="demo@localhost"), "test", ["read", "write"])[1])
"""
    environment = service.environment | {"DJANGO_SETTINGS_MODULE": "gas_project.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


class Gas:
    """The command in a folder and a home of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("GAS_")}
        self.environment = inherited | {"HOME": str(folder), "PYTHONPATH": str(BASE_DIR)} | environment
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            self.environment.pop(name, None)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "annotations.cli", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __call__(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "annotations.cli", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            timeout=240,
            check=False,
        )


@pytest.fixture
def gas(tmp_path: Path, proxy: CuttingProxy, proxy_port: int, token: str) -> Gas:
    proxy.sent_bytes = proxy.cuts = 0
    proxy.is_holding.clear()
    return Gas(tmp_path, GAS_URL=f"http://127.0.0.1:{proxy_port}", GAS_TOKEN=token)


@pytest.fixture
def na12878(shared_data: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "NA12878.vcf.gz"
    shutil.copy(shared_data / "grch38_chr21" / "PG_NA12878_hg38-chr21.vcf.gz", copy)
    return copy


def records_of(path: Path) -> int:
    with gzip.open(path, "rt") as file:
        return sum(1 for line in file if not line.startswith("#"))


def test_one_command_leads_from_a_file_to_its_result_over_a_connection_that_breaks(
    gas: Gas, proxy: CuttingProxy, na12878: Path
):
    size = na12878.stat().st_size
    proxy.cut_after = size // 2
    done = gas("annotate", "NA12878.vcf.gz", "-o", "out")
    assert done.returncode == 0, done.stderr.decode()
    assert proxy.cuts == 1 and b"trying again" in done.stderr
    # What had arrived was not sent again: of the part that broke off no more than that part.
    assert proxy.sent_bytes < size + 2 * PART_BYTES + 60_000
    out = gas.folder / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "NA12878.annot.vcf.gz",
        "NA12878.annot.vcf.gz.tbi",
        "NA12878.parquet",
        "NA12878.vcf.count.log",
    ]
    assert records_of(out / "NA12878.annot.vcf.gz") == 65_370


def test_what_is_interrupted_goes_on_where_it_stopped(gas: Gas, proxy: CuttingProxy, na12878: Path):
    size = na12878.stat().st_size
    proxy.hold_after = size // 2
    running = gas.start("submit", "NA12878.vcf.gz")
    wait_until(proxy.is_holding.is_set)
    running.send_signal(signal.SIGINT)
    proxy.let_go()
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130 and b"goes on where it stopped" in said
    proxy.sent_bytes = 0
    again = gas("submit", "NA12878.vcf.gz")
    assert again.returncode == 0, again.stderr.decode()
    assert proxy.sent_bytes < size // 2 + 2 * PART_BYTES + 60_000
    job_id = again.stdout.decode().strip()
    # Once more: it is there, and nothing is sent or submitted anew.
    assert gas("submit", "NA12878.vcf.gz").stdout.decode().strip() == job_id
    assert gas("cancel", job_id).returncode == 0
    assert gas("status", job_id).returncode == 1


def small_vcf(position: int = 25_891_784) -> bytes:
    return (
        b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        + f"21\t{position}\t.\tC\tT\t.\t.\t.\n".encode()
    )


def test_many_files_wait_for_their_turn_and_what_fails_stops_no_other(gas: Gas):
    for number in range(3):
        (gas.folder / f"{number}.vcf").write_bytes(small_vcf())
    (gas.folder / "broken.vcf").write_text("this is no VCF\n")
    files = ["0.vcf", "1.vcf", "2.vcf", "broken.vcf", "missing.vcf"]
    done = gas("annotate", *files, "-j", "5", "-o", "out", "--files", "table", "--json")
    assert done.returncode == 1 and done.stderr == b""
    outcomes = {outcome["file"]: outcome for outcome in json.loads(done.stdout)}
    assert [outcomes[name]["error"] for name in files[:3]] == ["", "", ""]
    assert [Path(outcomes[name]["saved"][0]).name for name in files[:3]] == [
        "0.parquet",
        "1.parquet",
        "2.parquet",
    ]
    assert "##fileformat" in outcomes["broken.vcf"]["error"]
    assert "no file missing.vcf" in outcomes["missing.vcf"]["error"]


def test_it_stands_between_pipes(gas: Gas):
    done = gas("annotate", "-", "-o", "-", stdin=small_vcf())
    assert done.returncode == 0, done.stderr.decode()
    assert b"missense_variant" in gzip.decompress(done.stdout)


def test_jobs_are_listed_looked_at_and_fetched(gas: Gas):
    (gas.folder / "one.vcf").write_bytes(small_vcf())
    job_id = gas("submit", "one.vcf", "--quiet").stdout.decode().strip()
    assert gas("status", job_id, "--wait").returncode == 0
    listed = json.loads(gas("list", "--limit", "1", "--json").stdout)
    assert [job["id"] for job in listed] == [job_id]
    done = gas("download", job_id, "-o", "here", "--files", "log")
    assert done.stdout.decode().split() == ["here/one.vcf.count.log"]
    assert gas("references").stdout.decode().startswith(f"{REFERENCE}\t")
    assert json.loads(gas("usage", "--json").stdout)["email"] == "demo@localhost"


def test_a_login_is_kept_for_its_owner_alone_and_only_when_the_token_is_good(
    tmp_path: Path, proxy_port: int, proxy: CuttingProxy, token: str
):
    gas = Gas(tmp_path)
    assert gas("list").returncode == 2
    url = f"http://127.0.0.1:{proxy_port}"
    wrong = gas("login", url, stdin=b"gas_nonsense\n")
    assert wrong.returncode == 2 and b"unknown" in wrong.stderr
    assert gas("login", url, stdin=token.encode() + b"\n").returncode == 0
    kept = tmp_path / ".config" / "gas" / "credentials.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert gas("list").returncode == 0
    gas.environment["GAS_URL"] = "http://localhost:9"  # the token is not shown to another service
    assert gas("list").returncode == 2
    del gas.environment["GAS_URL"]
    assert gas("logout").returncode == 0
    assert gas("list").returncode == 2


def test_a_service_that_does_not_answer_ends_the_command_with_its_own_code(tmp_path: Path):
    gas = Gas(tmp_path, GAS_URL=f"http://127.0.0.1:{free_port()}", GAS_TOKEN="gas_x")
    done = gas("list", "--patience", "0")
    assert done.returncode == 3 and b"Gave up" in done.stderr
