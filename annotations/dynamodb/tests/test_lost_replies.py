"""A write whose reply gets lost is sent again, and still its outcome is told right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import boto3
import pytest
from django.db import IntegrityError, OperationalError
from django.db.models import F

from annotations.dynamodb.tests.connecting import connected
from annotations.dynamodb.tests.models import Sample
from annotations.dynamodb.tests.proxy import Losses, losing

BEHIND = "behind_proxy"
LoseReplies = Callable[..., Any]


@pytest.fixture
def lose(dynamodb: Any) -> Iterator[LoseReplies]:
    """Samples behind a proxy that loses what the test says."""
    with ExitStack() as stack:

        def start(losses: Losses, meanwhile: Callable[[], None] = lambda: None) -> Any:
            settings = dynamodb.settings_dict
            port = int(settings["OPTIONS"]["endpoint_url"].rpartition(":")[2])
            proxy = stack.enter_context(losing(port, losses, meanwhile))
            options = settings["OPTIONS"] | {"attempts": 5, "endpoint_url": f"http://127.0.0.1:{proxy}"}
            stack.enter_context(connected({**settings, "OPTIONS": options}, BEHIND))
            return Sample.objects.using(BEHIND)

        yield start


def test_a_create_whose_reply_was_lost_has_created(lose: LoseReplies) -> None:
    samples = lose(Losses({"PutItem"}, count=1))
    samples.create(sample_id="a", label="mine")
    assert Sample.objects.get(pk="a").label == "mine"


def test_a_create_that_came_second_is_refused_though_its_reply_was_lost_too(lose: LoseReplies) -> None:
    Sample.objects.create(sample_id="a", label="first")
    samples = lose(Losses({"PutItem"}, count=1))
    with pytest.raises((IntegrityError, OperationalError)):
        samples.create(sample_id="a", label="second")
    assert Sample.objects.get(pk="a").label == "first"


def test_an_update_whose_reply_was_lost_is_applied_once_and_counted(lose: LoseReplies) -> None:
    Sample.objects.create(sample_id="a", state="NEW")
    samples = lose(losses := Losses({"UpdateItem"}, count=2))
    assert samples.filter(pk="a", state="NEW").update(state="DONE", reads=F("reads") + 1) == 1
    assert samples.filter(pk="a", reads__gte=1).update(reads=F("reads") + 1) == 1
    assert (Sample.objects.get(pk="a").reads, losses.lost) == (2, 2)


def test_an_update_that_never_arrived_is_sent_again(lose: LoseReplies) -> None:
    Sample.objects.create(sample_id="a")
    samples = lose(Losses({"UpdateItem"}, count=3, before=True))
    assert samples.filter(pk="a").update(reads=F("reads") + 1) == 1
    assert Sample.objects.get(pk="a").reads == 1


def test_where_another_write_hides_the_outcome_it_is_called_unknown(lose: LoseReplies, dynamodb: Any) -> None:
    Sample.objects.create(sample_id="a", state="NEW")
    table = dynamodb.table_name(Sample._meta.db_table)

    def another_writes() -> None:
        boto3.client("dynamodb", **dynamodb.settings_dict["OPTIONS"]).put_item(
            TableName=table, Item={"sample_id": {"S": "a"}, "sample_state": {"S": "TAKEN"}}
        )

    samples = lose(Losses({"UpdateItem"}, count=1), another_writes)
    with pytest.raises(OperationalError, match="not known"):
        samples.filter(pk="a", state="NEW").update(state="DONE")
    assert Sample.objects.get(pk="a").state == "TAKEN"


def test_a_delete_whose_reply_was_lost_has_deleted(lose: LoseReplies) -> None:
    Sample.objects.create(sample_id="a")
    samples = lose(Losses({"DeleteItem"}, count=1))
    assert samples.filter(pk="a").delete()[0] == 1
    assert not Sample.objects.filter(pk="a").exists()


def test_a_server_that_never_answers_is_given_up(lose: LoseReplies) -> None:
    samples = lose(Losses({"UpdateItem"}, chance=1.0))
    Sample.objects.create(sample_id="a")
    with pytest.raises(OperationalError, match="not known"):
        samples.filter(pk="a").update(reads=1)
