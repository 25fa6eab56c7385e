"""The whole service on one machine, with real processes: from upload to mail, and a clean end."""

import re
import signal
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import psutil
from kombu import Connection

from annotations.tests.waiting import wait_until
from gas_project.tests.onemachine.service import Service, mails, query, start, submit_demo
from tasks.queues import QUEUE_NAMES, dead_letters
from tasks.sqs import sqs_client


class Browser:
    """A person with a browser, as far as forms and cookies go."""

    def __init__(self, service: Service) -> None:
        self.site = f"http://127.0.0.1:{service.environment['GAS_PORT']}"
        self.cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        with self._opener.open(self.site + path, timeout=10) as response:
            return str(response.read().decode())

    def post(self, path: str, **fields: str) -> str:
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        body = urlencode(fields | {"csrfmiddlewaretoken": str(token)}).encode()
        with self._opener.open(self.site + path, body, timeout=10) as response:
            return str(response.geturl())


def test_everything_that_it_needs_can_be_reached(service: Service) -> None:
    browser = Browser(service)
    assert "Genomics Annotation Service" in browser.get("/")
    assert '"status": "ok"' in browser.get("/readyz")


def test_the_demo_user_logs_in_with_the_password_that_was_shown(service: Service) -> None:
    shown = service.said("demo@localhost") or ""
    password = re.search(r"password: (\S+)", shown)
    assert password, service.lines
    browser = Browser(service)
    browser.get("/accounts/login/")
    assert browser.post("/accounts/login/", login="demo@localhost", password=password[1]).endswith("/jobs/")


def test_an_upload_is_annotated_by_the_worker_and_its_user_told(service: Service) -> None:
    job_id = submit_demo(service)
    wait_until(lambda: job_id in mails(service), timeout_seconds=60)
    ((status, result_key),) = query(
        service, "SELECT job_status, s3_key_result_file FROM annotations_job WHERE job_id = ?", job_id
    )
    assert status == "COMPLETED"
    assert (service.state_dir / "objects" / str(result_key)).stat().st_size > 0
    assert mails(service).count(f"/jobs/{job_id}/") == 1
    assert [path for path in (service.state_dir / "work").iterdir() if path.is_dir()] == []


def test_the_queues_are_there_and_empty_again(service: Service) -> None:
    options = {"is_secure": False, "region": "us-east-1"}
    url = f"sqs://name:word@127.0.0.1:{service.environment['GAS_BROKER_PORT']}"
    client = sqs_client(Connection(url, transport_options=options))

    def waiting(queue: str) -> str:
        url = client.get_queue_url(QueueName=f"gas-{queue}")["QueueUrl"]
        name = "ApproximateNumberOfMessages"
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return str(answer["Attributes"][name])

    names = [*QUEUE_NAMES, *map(dead_letters, QUEUE_NAMES)]
    assert {waiting(name) for name in names} == {"0"}


def test_a_second_one_on_the_same_state_folder_says_so_and_ends(service: Service) -> None:
    second = start(service.environment)
    assert second.process.wait(timeout=30) == 1
    wait_until(lambda: bool(second.said(f"already running on {service.state_dir}")))
    assert second.process.stdout is not None
    second.process.stdout.close()


def test_nothing_alarming_is_said_on_the_way(service: Service) -> None:
    assert not [line for line in service.lines if re.search(r"(?i)warning|error|traceback|critical", line)]


def test_ctrl_c_ends_every_process(service: Service) -> None:
    family = psutil.Process(service.process.pid).children(recursive=True)
    assert len(family) >= 6
    assert service.stop(signal.SIGINT) == 0
    assert [process for process in family if process.is_running()] == []
    wait_until(lambda: bool(service.said("| stopped")))
