"""What DynamoDB can't do is refused by name, with what to do instead; nothing is ignored."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import NotSupportedError, connections, transaction
from django.db.models import Count, Exists, F, OuterRef, Subquery, Window
from django.db.models.functions import Cast, RowNumber

from annotations.dynamodb.tests.connecting import ALIAS
from annotations.dynamodb.tests.models import Batch, Everything, Sample

pytestmark = pytest.mark.usefixtures("dynamodb")

MINE = Sample.objects.filter(owner=1)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: list(Sample.objects.all()), "would read the whole table.*index.*option scan"),
        (Sample.objects.count, "would read the whole table"),
        (
            lambda: Sample.objects.filter(label="x").update(state="y"),
            "names label.*would read the whole table",
        ),
        (lambda: list(Sample.objects.filter(owner__gt=1)), "Filter by one of: sample_id ="),
        (lambda: list(MINE.select_for_update()), r"select_for_update\(\).*conditional update"),
        (lambda: Sample.objects.update_or_create(pk="x"), r"update_or_create\(\)"),
        (lambda: list(MINE.select_related("batch")), "Joins.*prefetch_related"),
        (lambda: list(Sample.objects.filter(batch__name="x")), "Joins.*query the other model first"),
        (lambda: list(MINE.values("state").annotate(Count("pk"))), "GROUP BY"),
        (lambda: list(MINE.distinct("state")), r"distinct\(\) on fields"),
        (lambda: list(MINE.union(MINE)), r"union\(\)"),
        (lambda: list(MINE.extra(where=["1=1"])), "extra"),
        (lambda: list(Sample.objects.filter(pk__in=MINE.values("pk"))), "Subqueries.*Evaluate the inner"),
        (lambda: list(MINE.filter(Exists(Batch.objects.filter(pk=OuterRef("batch_id"))))), "Exists"),
        (lambda: list(MINE.annotate(n=Subquery(MINE.values("pk")[:1]))), "no SQL|Subquery"),
        (lambda: list(MINE.annotate(n=Window(RowNumber()))), "Window"),
        (lambda: list(MINE.annotate(n=Cast("reads", Sample._meta.get_field("label")))), "Cast"),
        (lambda: list(Everything.objects.filter(pk="0" * 32, json__a=1)), "into JSON"),
        (lambda: list(Sample.objects.raw("SELECT 1")), "no SQL"),
        (lambda: Sample.objects.filter(pk="a").update(sample_id="b"), "primary key"),
        (
            lambda: Sample.objects.bulk_create(
                [Sample(pk="a")], update_conflicts=True, update_fields=["label"], unique_fields=["sample_id"]
            ),
            "update_conflicts",
        ),
        (lambda: MINE.explain(format="json"), "no format"),
    ],
    ids=lambda value: value if isinstance(value, str) else "ask",
)
def test_it_is_refused_by_name_with_the_alternative(ask: Callable[[], Any], words: str) -> None:
    with pytest.raises(NotSupportedError, match=f"(?s){words}"):
        ask()


def test_sql_is_refused() -> None:
    with connections[ALIAS].cursor() as cursor, pytest.raises(NotSupportedError, match="speaks no SQL"):
        cursor.execute("SELECT 1")


def test_an_atomic_block_that_fails_says_which_writes_stay() -> None:
    with pytest.raises(ZeroDivisionError) as raised, transaction.atomic(using=ALIAS):
        Sample.objects.create(sample_id="a")
        1 / 0  # noqa: B018
    assert raised.value.__notes__ == [
        "1 writes to DynamoDB in this atomic block stay: they can't be rolled back."
    ]
    assert Sample.objects.filter(pk="a").exists()


def test_an_inner_block_that_fails_says_so_too_and_the_outer_goes_on() -> None:
    called: list[str] = []
    with transaction.atomic(using=ALIAS):
        transaction.on_commit(lambda: called.append("outer"), using=ALIAS)
        Sample.objects.create(sample_id="a")
        with pytest.raises(ZeroDivisionError) as raised, transaction.atomic(using=ALIAS):
            Sample.objects.filter(pk="a").update(reads=1)
            1 / 0  # noqa: B018
        Sample.objects.filter(pk="a").update(label="done")
    assert "1 writes" in raised.value.__notes__[0]
    assert called == ["outer"] and Sample.objects.get(pk="a").label == "done"


def test_a_block_that_failed_before_it_wrote_has_nothing_to_say() -> None:
    with pytest.raises(ZeroDivisionError) as raised, transaction.atomic(using=ALIAS):
        1 / 0  # noqa: B018
    assert not hasattr(raised.value, "__notes__")


def test_rolling_back_what_was_written_is_refused() -> None:
    with transaction.atomic(using=ALIAS):
        Sample.objects.create(sample_id="a")
        with pytest.raises(NotSupportedError, match="can't be rolled back"):
            transaction.set_rollback(True, using=ALIAS)


def test_arithmetic_that_means_nothing_is_refused() -> None:
    Sample.objects.create(sample_id="a")
    with pytest.raises(NotSupportedError, match="can't be computed"):
        Sample.objects.filter(pk="a").update(label=F("label") - F("state"))
