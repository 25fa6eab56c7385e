"""The service with its jobs in DynamoDB, in a real browser: from signing up to the result and the admin."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from annotations.dynamodb.tests.servers import REQUEST_OPTIONS, ministack
from gas_project.tests.onemachine.browsing import WAIT_MILLISECONDS, annotate_the_sample, sign_up
from gas_project.tests.onemachine.service import Service, query

pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    with ministack() as database:
        yield {
            "GAS_JOBS_DATABASE": "dynamodb",
            "GAS_DYNAMODB_ENDPOINT_URL": database["OPTIONS"]["endpoint_url"],
            "GAS_DYNAMODB_REGION": REQUEST_OPTIONS["region_name"],
            "AWS_ACCESS_KEY_ID": REQUEST_OPTIONS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": REQUEST_OPTIONS["aws_secret_access_key"],
        }


def log_in_as_admin(page: Any, service: Service) -> None:
    greeting = service.said("admin@localhost")
    assert greeting
    password = re.search(r"password: (\S+)", greeting)
    assert password
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill("admin@localhost")
    page.get_by_label("Password").fill(password[1])
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/jobs/")


def test_from_signing_up_to_the_result_and_the_admin(
    visit: Callable[..., Any], service: Service, tmp_path: Path, picture: Callable[..., None]
) -> None:
    page = visit()
    sign_up(page, "esther@example.org")
    address = annotate_the_sample(page, tmp_path)
    job_id = address.rstrip("/").rpartition("/")[2]
    page.get_by_role("link", name="demo.annot.vcf.gz", exact=True).wait_for(timeout=WAIT_MILLISECONDS)
    page.goto("/jobs/")
    page.get_by_role("link", name="demo.vcf", exact=True).wait_for()
    assert not query(service, "SELECT name FROM sqlite_master WHERE name = 'annotations_job'")

    # An admin finds the job by each of its names, puts one right, and what was done is remembered.
    page = visit(viewport={"width": 1280, "height": 900})
    log_in_as_admin(page, service)
    for term in (job_id, "esther@example.org", "demo.v"):
        page.goto(f"/admin/annotations/job/?q={term}")
        page.get_by_text("1 job", exact=True).first.wait_for()
    picture(page, "admin-jobs")
    page.get_by_role("link", name="demo.vcf").click()
    page.get_by_label("File", exact=False).first.fill("family.vcf")
    picture(page, "admin-job")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()
    page.goto("/admin/annotations/job/?status__exact=COMPLETED")
    page.get_by_role("link", name="family.vcf").click()
    page.get_by_role("link", name="History").click()
    page.get_by_role("cell", name="Changed File.").wait_for()

    page.goto(f"/admin/annotations/job/{job_id}/delete/")
    page.get_by_role("button", name="Yes").click()
    page.get_by_text("was deleted successfully").wait_for()
    page.goto("/admin/annotations/job/")
    page.get_by_text("0 jobs", exact=True).first.wait_for()
