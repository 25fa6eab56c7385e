"""Uploads of tests, sent as a script sends them."""

from typing import Any

from django.test import Client

from annotations.api.tests.conftest import Caller

CONTENT = b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def put(url: str, body: bytes) -> Any:
    """As whoever holds the address does it: without a token, and without cookies."""
    path = url.split("://", 1)[-1].partition("/")[2]
    return Client(enforce_csrf_checks=True).put(f"/{path}", body, content_type="application/octet-stream")


def send_parts(
    call: Caller, upload: dict[str, Any], content: bytes, numbers: list[int] | None = None
) -> list[str]:
    """PUT these parts of the content, or all; their ETags."""
    wanted = numbers or list(range(1, upload["part_count"] + 1))
    urls = call.post(f"/uploads/{upload['id']}/parts", {"numbers": wanted}).json()["items"]
    answers = [put(part["url"], content[part["start"] :][: part["size_bytes"]]) for part in urls]
    assert [answer.status_code for answer in answers] == [200] * len(wanted)
    return [answer.headers["ETag"] for answer in answers]


def upload_of(call: Caller, content: bytes = CONTENT, name: str = "patient.vcf") -> str:
    """The id of an upload that is READY."""
    upload = call.post("/uploads", {"file_name": name, "size_bytes": len(content)}).json()
    send_parts(call, upload, content)
    assert call.post(f"/uploads/{upload['id']}/complete").json()["state"] == "READY"
    return str(upload["id"])
