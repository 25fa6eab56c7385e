"""A result by link: read only, of one job, until the link expires or is revoked."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.engine.bundle import ReferenceBundle
from annotations.models import Job, ResultState, Status
from annotations.sharing import links
from annotations.sharing.models import ShareLink
from annotations.storage import object_store
from annotations.tests.bundles import write_bundle
from annotations.tests.factories import make_job
from annotations.tests.tables import write_empty_table

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_database")]
DAY = timedelta(days=1)


@pytest.fixture
def owner(user: Any) -> Client:
    client = Client()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def job(user: Any, tmp_path: Path) -> Job:
    job = make_job(
        user,
        status=Status.COMPLETED,
        completed_at=timezone.now(),
        input_file_name="family.vcf",
        result_state=ResultState.AVAILABLE,
        result_key="u/j/family.annot.vcf.gz",
        log_key="u/j/family.vcf.count.log",
    )
    (tmp_path / "log").write_text("Total 1")
    object_store().publish(tmp_path / "log", job.log_key)
    return job


def page(job: Job, name: str = "job", *args: str) -> str:
    return reverse(f"annotations:{name}", args=[job.job_id, *args])


def opened(job: Job, lifetime: timedelta = DAY) -> Client:
    """The browser of somebody without an account who has opened a link."""
    client = Client()
    _, secret = links.make(job, lifetime)
    response = client.get(reverse("annotations:open_link", args=[secret]))
    assert (response.status_code, response["Location"]) == (302, page(job))
    return client


def test_the_page_of_links_shows_a_new_one_once_and_it_opens_the_result(owner: Client, job: Job) -> None:
    response = owner.post(page(job, "share_links"), {"days": "7", "note": "for <Ada>"})
    address = response.context["address"]
    secret = address.rstrip("/").rsplit("/", 1)[-1]
    assert address in response.content.decode() and "for &lt;Ada&gt;" in response.content.decode()
    assert secret not in owner.get(page(job, "share_links")).content.decode()
    (link,) = ShareLink.objects.all()
    assert secret not in str(vars(link)) and len(secret) >= 43, "256 bits, of which only a hash is kept"
    shown = Client().get(address, follow=True)
    assert "family.annot.vcf.gz" in shown.content.decode()
    assert ShareLink.objects.get().opened_at is not None


def test_a_link_gives_the_result_and_its_log_to_read_and_to_download(job: Job) -> None:
    visitor = opened(job)
    shown = visitor.get(page(job)).content.decode()
    assert "family.annot.vcf.gz" in shown and job.user.email not in shown
    assert not any(word in shown for word in ("Cancel", "Delete", "Archive now", "Share this"))
    assert visitor.get(page(job, "job_file", "result"))["Location"].startswith("/storage/download/")
    assert "Total 1" in visitor.get(page(job, "job_log")).content.decode()


def test_a_link_opens_nothing_else(owner: Client, job: Job, user: Any) -> None:
    another = make_job(user, log_key="u/k/log")
    visitor = opened(job)
    for name in ("job", "job_log"):
        response = visitor.get(page(another, name))
        assert response.status_code == 302 and "/accounts/login/" in response["Location"]
    # Whoever carries the cookie to the other job's address by hand has gained nothing.
    visitor.cookies["shared-result"]["path"] = "/"
    assert visitor.get(page(another)).status_code == 302
    assert visitor.get(page(another, "job_file", "log")).status_code == 302
    assert visitor.get(page(job, "share_links")).status_code == 302
    assert visitor.get(page(job, "delete_job")).status_code == 302
    assert visitor.get(reverse("annotations:jobs")).status_code == 302


def test_a_link_changes_nothing(job: Job) -> None:
    visitor = opened(job)
    for name in ("job", "job_log", "cancel_job", "delete_job", "retry_job", "share_links"):
        for method in ("post", "put", "patch", "delete"):
            assert getattr(visitor, method)(page(job, name)).status_code in {302, 405}
    assert Job.objects.get(pk=job.pk).status == Status.COMPLETED
    assert ShareLink.objects.count() == 1


def test_somebody_with_an_account_of_their_own_sees_a_shared_result_too(job: Job, other_user: Any) -> None:
    visitor = opened(job)
    visitor.force_login(other_user, "allauth.account.auth_backends.AuthenticationBackend")
    shown = visitor.get(page(job)).content.decode()
    assert "shared with you" in shown
    assert visitor.post(page(job, "cancel_job")).status_code == 404


def test_the_owner_who_opens_a_link_stays_the_owner(owner: Client, job: Job) -> None:
    _, secret = links.make(job, DAY)
    shown = owner.get(reverse("annotations:open_link", args=[secret]), follow=True).content.decode()
    assert "Share this result" in shown and "shared with you" not in shown


def test_a_revoked_link_ends_what_was_opened_by_it_at_once(owner: Client, job: Job) -> None:
    link, secret = links.make(job, DAY)
    visitor = Client()
    visitor.get(reverse("annotations:open_link", args=[secret]))
    assert visitor.get(page(job)).status_code == 200
    assert owner.post(page(job, "revoke_link", str(link.pk))).status_code == 302
    assert visitor.get(page(job)).status_code == 302
    assert visitor.get(page(job, "job_file", "result")).status_code == 302
    again = visitor.get(reverse("annotations:open_link", args=[secret]))
    assert again.status_code == 410 and "was revoked" in again.content.decode()
    assert "revoked" in owner.get(page(job, "share_links")).content.decode()


def test_an_expired_link_says_since_when(job: Job) -> None:
    link, secret = links.make(job, DAY)
    visitor = Client()
    visitor.get(reverse("annotations:open_link", args=[secret]))
    ShareLink.objects.filter(pk=link.pk).update(expires_at=timezone.now())
    assert visitor.get(page(job)).status_code == 302
    again = visitor.get(reverse("annotations:open_link", args=[secret]))
    assert again.status_code == 410 and "has expired" in again.content.decode()


@pytest.mark.parametrize("secret", ["none", "x" * 5000, "%00", "\udc80".encode(errors="surrogateescape")])
def test_what_is_no_link_says_so(secret: Any) -> None:
    address = reverse("annotations:open_link", args=["none"]).replace("none", str(secret))
    response = Client().get(address)
    assert response.status_code == 404


def test_a_deleted_job_takes_its_links_along(job: Job) -> None:
    _, secret = links.make(job, DAY)
    Job.objects.filter(pk=job.pk).delete()
    assert ShareLink.objects.count() == 0
    gone = Client().get(reverse("annotations:open_link", args=[secret]))
    assert gone.status_code == 404 and "was deleted" in gone.content.decode()


def test_the_links_of_somebody_who_may_not_log_in_any_more_open_nothing(job: Job, user: Any) -> None:
    visitor = opened(job)
    user.is_active = False
    user.save(update_fields=["is_active"])
    assert visitor.get(page(job)).status_code == 302


@pytest.mark.parametrize(
    ("state", "words"), [(ResultState.ARCHIVED, "in the archive"), (ResultState.THAWING, "on their way back")]
)
def test_of_a_result_that_is_away_a_link_says_where_it_is(job: Job, state: ResultState, words: str) -> None:
    Job.objects.filter(pk=job.pk).update(result_state=state)
    visitor = opened(job)
    shown = visitor.get(page(job)).content.decode()
    assert words in shown and "family.vcf.count.log" in shown and "family.annot.vcf.gz" not in shown


def test_what_a_link_shows_is_kept_by_no_cache_and_found_by_no_search_engine(job: Job) -> None:
    response = opened(job).get(page(job))
    assert "no-store" in response["Cache-Control"] and response["X-Robots-Tag"] == "noindex"


def test_a_job_has_so_many_good_links_and_no_more(
    owner: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "MOST_OF_A_JOB", 2)
    links.make(job, DAY)
    link, _ = links.make(job, DAY)
    assert "Revoke one" in owner.post(page(job, "share_links"), {"days": "7"}).content.decode()
    links.revoke(job, link.pk)
    assert owner.post(page(job, "share_links"), {"days": "7"}).context["address"]


@pytest.mark.parametrize("days", ["0", "-1", "99999", "week", ""])
def test_a_lifetime_that_is_not_offered_is_refused(owner: Client, job: Job, days: str) -> None:
    owner.post(page(job, "share_links"), {"days": days})
    assert ShareLink.objects.count() == 0


def test_the_provenance_of_a_result_can_be_downloaded_by_its_owner_and_by_a_link(
    owner: Client, job: Job
) -> None:
    Job.objects.filter(pk=job.pk).update(
        input_sha256="ab" * 32, provenance={"tools": {"bcftools": "1.24"}, "reference": {"name": "demo"}}
    )
    for client in (owner, opened(job)):
        response = client.get(page(job, "job_provenance"))
        document = response.json()
        assert document["input"]["sha256"] == "ab" * 32 and document["tools"] == {"bcftools": "1.24"}
        assert document["parameters"] == {"reference": job.reference, "haplotype_aware": False}
        assert job.user.email not in str(document) and "attachment" in response["Content-Disposition"]
        assert "bcftools" in client.get(page(job)).content.decode()
    assert Client().get(page(job, "job_provenance")).status_code == 302


def test_a_link_opens_the_pages_of_the_variants_to_read(job: Job, settings: Any, tmp_path: Path) -> None:
    bundle = ReferenceBundle.open(write_bundle(settings.REFERENCES_DIR))
    write_empty_table(tmp_path / "table", bundle)
    object_store().publish(tmp_path / "table", "u/j/family.parquet")
    Job.objects.filter(pk=job.pk).update(table_key="u/j/family.parquet")
    visitor = opened(job)
    assert page(job, "result") in visitor.get(page(job)).content.decode()
    for name in ("result", "result_plots", "result_gene", "result_genome", "result_export"):
        response = visitor.get(page(job, name))
        assert response.status_code == 200 and "no-store" in response["Cache-Control"], name
        assert Client().get(page(job, name)).status_code == 302
    assert visitor.post(page(job, "result_export")).status_code == 302
    assert visitor.get(page(job, "result_exports")).status_code == 302, "theirs who asked"
