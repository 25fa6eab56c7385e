"""What users see of a result's life, and what they can do about it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.models import Job, ResultState
from archival.tests.world import World


@pytest.fixture
def client(user: Any) -> Client:
    client = Client()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def page(client: Client, job: Job) -> str:
    return client.get(job.get_absolute_url()).content.decode()


def put(job: Job, **fields: Any) -> Job:
    Job.objects.filter(pk=job.pk).update(**fields)
    return job


def test_the_page_says_when_a_result_is_archived_and_offers_the_files(
    world: World, user: Any, client: Client
) -> None:
    due_at = timezone.now() + timedelta(days=3, minutes=1)
    shown = page(client, world.job(user, archive_due_at=due_at))
    assert "in 3 d" in shown and due_at.isoformat() in shown
    assert "a.annot.vcf.gz" in shown and "Archive now" not in shown


@pytest.mark.parametrize(("minutes", "follows"), [(5, True), (-1, True), (60, False)])
def test_a_page_that_is_open_when_its_result_is_archived_says_so_by_itself(
    world: World, user: Any, client: Client, minutes: int, follows: bool
) -> None:
    due_at = timezone.now() + timedelta(minutes=minutes)
    assert ("hx-get" in page(client, world.job(user, archive_due_at=due_at))) is follows


def test_a_page_that_is_open_when_its_owner_becomes_premium_says_by_itself_that_the_result_comes_back(
    world: World, user: Any, client: Client
) -> None:
    job = put(world.job(user), result_state=ResultState.ARCHIVED, archive_id="x")
    before = client.get(job.get_absolute_url())
    assert "hx-get" in before.content.decode()
    world.set_tier(user, "premium")
    world.run("thaw", str(user.pk))
    news = client.get(
        reverse("annotations:job_status", args=[job.job_id]), {"seen": before.context["state"]}
    ).content.decode()
    assert "being retrieved" in news and "Go premium" not in news


@pytest.mark.parametrize("state", [ResultState.ARCHIVED, ResultState.THAWING, ResultState.RESTORING])
def test_while_the_result_is_away_the_log_is_there_and_the_files_are_not(
    world: World, user: Any, client: Client, state: ResultState
) -> None:
    job = put(world.job(user), result_state=state, archive_id="x")
    shown = page(client, job)
    assert "a.log" in shown
    for kind in ("result", "index", "table"):
        address = reverse("annotations:job_file", args=[job.job_id, kind])
        assert address not in shown
        assert client.get(address).status_code == 404
    assert client.get(reverse("annotations:job_file", args=[job.job_id, "log"])).status_code == 302


def test_while_it_is_copied_to_the_archive_it_can_still_be_had(
    world: World, user: Any, client: Client
) -> None:
    job = put(world.job(user), result_state=ResultState.ARCHIVING)
    assert "a.annot.vcf.gz" in page(client, job)


def test_an_archived_result_tells_a_free_user_how_to_get_it_back(
    world: World, user: Any, client: Client
) -> None:
    shown = page(client, put(world.job(user), result_state=ResultState.ARCHIVED, archive_id="x"))
    assert "in the archive" in shown and "remium" in shown and "Retrieve from" not in shown


def test_a_retrieval_says_its_option_and_when_it_is_expected(world: World, user: Any, client: Client) -> None:
    expected_at = timezone.now() + timedelta(hours=5, minutes=1)
    job = put(
        world.job(user),
        result_state=ResultState.THAWING,
        archive_id="x",
        retrieval_option="Standard",
        retrieval_expected_at=expected_at,
    )
    shown = page(client, job)
    assert "standard retrieval" in shown and "in 5 h" in shown
    assert "hx-get" in shown, "the page keeps itself up to date"


def test_an_open_page_learns_when_a_retrieval_is_expected(world: World, user: Any, client: Client) -> None:
    job = put(world.job(user), result_state=ResultState.THAWING, archive_id="x")
    seen = client.get(job.get_absolute_url()).context["state"]
    news = reverse("annotations:job_status", args=[job.job_id])
    assert client.get(news, {"seen": seen}).status_code == 204
    put(job, retrieval_expected_at=timezone.now() + timedelta(hours=5, minutes=1))
    assert "in 5 h" in client.get(news, {"seen": seen}).content.decode()


def test_a_premium_user_archives_and_retrieves_by_hand(world: World, premium: Any, client: Client) -> None:
    job = world.job(premium, archive_due_at=None)
    assert "Archive now" in page(client, job)
    assert client.post(reverse("archival:archive", args=[job.job_id])).status_code == 302
    world.run_sent()
    assert "Retrieve from" in page(client, job)
    assert client.post(reverse("archival:retrieve", args=[job.job_id])).status_code == 302
    assert Job.objects.get(pk=job.pk).result_state == ResultState.THAWING
    answer = client.post(reverse("archival:retrieve", args=[job.job_id]), follow=True)
    assert "on its way back already" in answer.content.decode()


@pytest.mark.parametrize("address", ["archival:archive", "archival:retrieve"])
def test_a_free_user_and_strangers_can_not(
    world: World, user: Any, other_user: Any, client: Client, address: str
) -> None:
    job = world.job(user)
    url = reverse(address, args=[job.job_id])
    assert client.post(url).status_code == 403
    world.set_tier(other_user, "premium")
    client.force_login(other_user, "allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(url).status_code == 404
    assert Client().post(url).status_code == 302
    assert Job.objects.get(pk=job.pk).archived_by_hand is False


def test_a_failed_retrieval_is_explained(world: World, user: Any, client: Client) -> None:
    job = put(
        world.job(user), result_state=ResultState.ARCHIVED, archive_id="x", failure_message="It is <gone>."
    )
    assert "It is &lt;gone&gt;." in page(client, job)
