"""Which requests answer a query: by key, by the index that reads least, and no more pages than needed."""

import datetime
from typing import Any

import pytest
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from annotations.dynamodb.tests.models import Sample

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


def requests_of(connection: Any, queryset: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        list(queryset)
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize(
    ("condition", "order", "plan"),
    [
        (Q(pk="a"), [], "GetItem by sample_id (1)"),
        (Q(pk__in=["a", "b"], owner=1), [], "BatchGetItem by sample_id (2)"),
        (Q(Q(state="NEW") | Q(state="RUN", label="x"), pk="a"), [], "GetItem by sample_id (1)"),
        (Q(pk="a") | Q(pk="b"), [], "BatchGetItem by sample_id (2)"),
        (Q(pk="a") & Q(pk="b"), [], "Nothing: no item can match"),
        (Q(owner=None), [], "Nothing: no item can match"),
        (Q(owner__in=[]), [], "Nothing: no item can match"),
        (Q(owner=1), [], "Query index dynamodb_tests_sample_owner by owner (1)"),
        (
            Q(owner=1, taken_at__gt=NOON),
            ["-taken_at"],
            "Query index sample_newest by owner (1), taken_at bounded, in descending order",
        ),
        (
            Q(owner__in=[1, 2], taken_at__isnull=False),
            ["taken_at"],
            "Query index sample_newest by owner (2), in order",
        ),
        (Q(owner=1, due__isnull=False), [], "Query index sample_due by owner (1)"),
        (Q(owner=1, due__lte=3), [], "Query index sample_due by owner (1), due bounded"),
        (
            Q(state="NEW") & (Q(reads=1) | Q(reads=5)),
            [],
            "Query index sample_state by sample_state (1), reads bounded",
        ),
    ],
    ids=str,
)
def test_explain_names_the_plan(dynamodb: Any, condition: Q, order: list[str], plan: str) -> None:
    assert Sample.objects.filter(condition).order_by(*order).explain().splitlines()[0] == plan


def test_a_sparse_index_serves_only_queries_that_need_no_row_it_lacks(dynamodb: Any) -> None:
    """`due` may be NULL, so an order by it is no reason to leave out the rows without."""
    Sample.objects.create(sample_id="a", due=None)
    Sample.objects.create(sample_id="b", due=1)
    mine = Sample.objects.filter(owner=1).order_by("due")
    assert "sample_due" not in mine.explain()
    assert [one.pk for one in mine] == ["a", "b"]
    assert "sample_due" in mine.filter(due__isnull=False).explain()


def test_a_sparse_index_is_read_as_a_whole_where_all_of_it_is_asked_for(dynamodb: Any) -> None:
    Sample.objects.bulk_create([Sample(sample_id=f"s{number}", due=number or None) for number in range(4)])
    due = Sample.objects.filter(due__isnull=False, owner__gt=0)
    assert due.explain() == "Scan of the sparse index sample_due"
    assert sorted(one.pk for one in due.filter(due__lt=3)) == ["s1", "s2"]


def test_what_is_sorted_in_python_is_said(dynamodb: Any) -> None:
    assert "Sort in Python" in Sample.objects.filter(owner=1).order_by("label").explain()
    assert (
        "Sort in Python"
        not in Sample.objects.filter(owner=1, taken_at__isnull=False).order_by("taken_at").explain()
    )


def test_a_key_is_read_consistently(dynamodb: Any) -> None:
    (request,) = requests_of(dynamodb, Sample.objects.filter(pk="a"))
    assert request.startswith("get_item") and "'ConsistentRead': True" in request


def test_a_slice_reads_one_page_of_its_size(dynamodb: Any) -> None:
    for number in range(20):
        Sample.objects.create(sample_id=f"s{number}", taken_at=NOON + datetime.timedelta(hours=number))
    newest = Sample.objects.filter(owner=1, taken_at__isnull=False).order_by("-taken_at")
    (request,) = requests_of(dynamodb, newest.filter(taken_at__lt=NOON + datetime.timedelta(hours=10))[:5])
    assert "'Limit': 6" in request and "ScanIndexForward': False" in request


def test_an_update_by_key_is_one_conditional_request(dynamodb: Any) -> None:
    Sample.objects.create(sample_id="a")
    with CaptureQueriesContext(dynamodb) as captured:
        assert (
            Sample.objects.filter(Q(state="NEW") | Q(state="RUN", label="x"), pk="a").update(state="RUN") == 1
        )
    (request,) = [query["sql"] for query in captured.captured_queries]
    assert request.startswith("update_item") and "attribute_exists(#n0) AND" in request


def test_many_keys_are_read_a_hundred_at_a_time(dynamodb: Any) -> None:
    keys = [f"s{number:03}" for number in range(250)]
    Sample.objects.bulk_create([Sample(sample_id=key) for key in keys])
    with CaptureQueriesContext(dynamodb) as captured:
        assert sorted(Sample.objects.in_bulk(keys)) == keys
    assert len(captured.captured_queries) == 3


def test_pages_are_followed_to_the_end(dynamodb: Any) -> None:
    """A page ends at 1 MB: these are several (on the emulator that has pages)."""
    Sample.objects.bulk_create(
        [Sample(sample_id=f"s{number:02}", note="x" * 200_000) for number in range(16)]
    )
    assert Sample.objects.filter(owner=1).count() == 16


def test_rows_that_are_only_counted_are_not_fetched_whole(dynamodb: Any) -> None:
    Sample.objects.bulk_create(
        [Sample(sample_id=f"s{number}", label="x" * 1000, reads=number) for number in range(5)]
    )
    many = Sample.objects.filter(owner=1, reads__gt=1)
    with CaptureQueriesContext(dynamodb) as captured:
        assert many.count() == 3
        assert many.exclude(label="").count() == 3  # takes an attribute that no key has
    sent = [query["sql"] for query in captured.captured_queries]
    assert all("ProjectionExpression" in query for query in sent)
    assert len(list(many)) == 3
