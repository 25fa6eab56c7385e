"""Somebody who uses the site with a browser, without the browser."""

import gzip
import re
import secrets
from typing import Any
from urllib.parse import urljoin

import requests

TIMEOUT_SECONDS = 60


class Visitor:
    """A session on the site; each verb is what a page lets one do."""

    def __init__(self, site_url: str, email: str) -> None:
        self.site_url, self.email = site_url, email
        self.session = requests.Session()

    def get(self, path: str, **options: Any) -> requests.Response:
        answer = self._send("GET", path, **options)
        answer.raise_for_status()
        return answer

    def post(self, path: str, fields: dict[str, str], **options: Any) -> requests.Response:
        token = {"csrfmiddlewaretoken": self.session.cookies["csrftoken"]}
        answer = self._send("POST", path, data=fields | token, headers={"Referer": self.site_url}, **options)
        answer.raise_for_status()
        return answer

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Once more when a host dies in the midst of it, as a person would press the button once more."""
        url = urljoin(self.site_url, path)
        try:
            return self.session.request(method, url, timeout=TIMEOUT_SECONDS, **options)
        except requests.ConnectionError:
            return self.session.request(method, url, timeout=TIMEOUT_SECONDS, **options)

    def sign_up(self) -> None:
        self.get("/accounts/signup/")
        password = secrets.token_urlsafe(16)
        answer = self.post(
            "/accounts/signup/",
            {"email": self.email, "name": "Ada", "password1": password, "password2": password},
        )
        assert answer.url.endswith("/jobs/"), answer.text[:2000]

    def log_in(self, password: str) -> None:
        self.get("/accounts/login/")
        self.post("/accounts/login/", {"login": self.email, "password": password})

    def annotate(self, name: str, content: bytes) -> str:
        """Upload by the signed form, submit; the job's id."""
        self.get("/jobs/new/")
        form = self.post("/jobs/uploads/", {"file_name": name}).json()
        sent = requests.post(
            urljoin(self.site_url, form["url"]),
            data=form["fields"],
            files={"file": (name, content)},
            timeout=TIMEOUT_SECONDS,
        )
        assert sent.status_code == 204, sent.text
        answer = self.post("/jobs/submit/", {"key": form["fields"]["key"], "reference": "demo/1"})
        match = re.search(r"/jobs/([0-9a-f-]{36})/", answer.url)
        assert match, answer.text[:2000]
        return match[1]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The API, with the session that the pages have; the answer's JSON."""
        token = {"X-CSRFToken": self.session.cookies["csrftoken"], "Referer": self.site_url}
        answer = self._send(method, f"/api/v1{path}", json=body, headers=token)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def begin_parts(self, name: str, content: bytes) -> str:
        """Announce a file that comes in parts; the upload's id."""
        return str(self.ask("POST", "/uploads", {"file_name": name, "size_bytes": len(content)})["id"])

    def send_part(self, upload: str, content: bytes, number: int) -> None:
        (part,) = self.ask("POST", f"/uploads/{upload}/parts", {"numbers": [number]})["items"]
        end = part["start"] + part["size_bytes"]
        sent = requests.put(part["url"], data=content[part["start"] : end], timeout=TIMEOUT_SECONDS)
        assert sent.ok, sent.text

    def annotate_upload(self, upload: str) -> str:
        """Submit an upload whose parts have come; the job's id."""
        self.ask("POST", f"/uploads/{upload}/complete", {})
        return str(self.ask("POST", "/jobs", {"upload_id": upload, "reference": "demo/1"})["id"])

    def send_nothing(self) -> int:
        """Submit an empty file; the status of the refusal."""
        form = self.post("/jobs/uploads/", {"file_name": "empty.vcf"}).json()
        files = {"file": ("empty.vcf", b"")}
        requests.post(form["url"], data=form["fields"], files=files, timeout=TIMEOUT_SECONDS)
        token = {"csrfmiddlewaretoken": self.session.cookies["csrftoken"]}
        fields = {"key": form["fields"]["key"], "reference": "demo/1"} | token
        return self._send(
            "POST", "/jobs/submit/", data=fields, headers={"Referer": self.site_url}
        ).status_code

    def delete(self, job_id: str) -> None:
        self.post(f"/jobs/{job_id}/delete/", {})

    def has(self, job_id: str) -> bool:
        return self._send("GET", f"/jobs/{job_id}/").status_code == 200

    def result(self, job_id: str) -> str | None:
        """The annotated VCF; None while it is not at hand."""
        answer = self._send("GET", f"/jobs/{job_id}/files/result/")
        return gzip.decompress(answer.content).decode() if answer.status_code == 200 else None

    def log_of(self, job_id: str) -> bool:
        return self._send("GET", f"/jobs/{job_id}/log/").status_code == 200

    def subscribe(self) -> None:
        page = self.get("/billing/").text
        match = re.search(r'name="form_token" value="([^"]+)"', page)
        assert match, page
        checkout = self.post("/billing/subscribe/", {"form_token": match[1]})
        paid = requests.post(
            checkout.url, data={"card": "4242 4242 4242 4242"}, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        assert paid.status_code == 303, paid.text

    def is_premium(self) -> bool:
        return "Your tier: Premium" in self.get("/billing/").text
