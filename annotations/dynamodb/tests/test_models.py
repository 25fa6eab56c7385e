"""What a model can do, the same on every database."""

import datetime
import decimal
import uuid
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import IntegrityError
from django.db.models import Avg, Case, CharField, Count, F, Max, Min, Q, Sum, Value, When
from django.db.models.functions import Coalesce, Concat, Length, Lower, Upper
from django.utils import timezone

from annotations.dynamodb.tests.models import Batch, Everything, Sample

pytestmark = pytest.mark.usefixtures("database")

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


def sample(sample_id: str, **fields: Any) -> Sample:
    return Sample.objects.create(sample_id=sample_id, **fields)


def ids(queryset: Any) -> list[str]:
    return [one.sample_id for one in queryset]


@pytest.fixture
def five() -> None:
    """Owner 1 took a, b, c, one an hour; owner 2 took d; e was never taken."""
    sample("a", taken_at=NOON, label="alpha", reads=10, note="first", quality=0.5, due=3)
    sample("b", taken_at=NOON + datetime.timedelta(hours=1), label="beta", reads=20, state="DONE", note="")
    sample("c", taken_at=NOON + datetime.timedelta(hours=2), label="Alpine", reads=30, quality=1.5, due=1)
    sample("d", taken_at=NOON, owner=2, label="delta", reads=40, state="DONE", checked=True)
    sample("e", owner=1, label="", reads=0, note="fifth")


def test_every_type_of_value_comes_back_as_it_was(database: Any) -> None:
    values = {
        "text": "Zoë\n\0".replace("\0", ""),
        "integer": -(2**62),
        "real": 0.1,
        "decimal": decimal.Decimal("12345678901234567.0000000001"),
        "boolean": False,
        "binary": b"\x00\xff",
        "uuid": uuid.uuid4(),
        "moment": datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=datetime.UTC),
        "day": datetime.date(2024, 2, 29),
        "time": datetime.time(1, 2, 3, 4),
        "duration": datetime.timedelta(days=-1, microseconds=1),
        "json": {"a": [1, None, 2.5, "x"], "b": {}},
        "address": "2001:db8::1",
    }
    if database.vendor == "sqlite":
        del values["decimal"]  # it keeps decimals as floating-point numbers
    one = Everything.objects.create(**values)
    found = Everything.objects.get(pk=one.pk)
    assert {name: getattr(found, name) for name in values} == values
    assert bytes(found.binary or b"") == b"\x00\xff"
    for name in ("uuid", "moment", "day", "time", "duration", "boolean", "integer"):
        assert Everything.objects.get(Q(**{name: values[name]}), pk=one.pk) == one


def test_null_is_kept_apart_from_empty_and_false() -> None:
    one = Everything.objects.create()
    empty = Everything.objects.create(text="", integer=0, boolean=False, json={}, binary=b"")
    both = [one.pk, empty.pk]
    for name in ("integer", "boolean", "json", "binary"):
        assert Everything.objects.get(pk__in=both, **{f"{name}__isnull": True}) == one
        assert Everything.objects.get(pk__in=both, **{f"{name}__isnull": False}) == empty


def test_a_second_object_with_the_same_key_is_refused_and_the_first_stays(five: None) -> None:
    with pytest.raises(IntegrityError):
        sample("a", label="intruder")
    assert Sample.objects.get(pk="a").label == "alpha"


def test_get_tells_nothing_and_too_much_apart(five: None) -> None:
    with pytest.raises(Sample.DoesNotExist):
        Sample.objects.get(pk="nobody")
    with pytest.raises(Sample.MultipleObjectsReturned):
        Sample.objects.get(owner=1, reads__gt=5)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Q(reads=20), "b"),
        (Q(reads__lt=20), "ae"),
        (Q(reads__lte=20), "abe"),
        (Q(reads__gt=20), "c"),
        (Q(reads__gte=20), "bc"),
        (Q(reads__in=[10, 30, 99]), "ac"),
        (Q(reads__in=[]), ""),
        (~Q(reads__in=[]), "abce"),
        (Q(reads__range=(10, 20)), "ab"),
        (Q(label__startswith="be"), "b"),
        (Q(label__istartswith="AL"), "ac"),
        (Q(label__contains="et"), "b"),
        (Q(label__icontains="PI"), "c"),
        (Q(label__endswith="a"), "ab"),
        (Q(label__iexact="ALPHA"), "a"),
        (Q(label__regex=r"^[ab].*a$"), "ab"),
        (Q(label=""), "e"),
        (Q(label__startswith=""), "abce"),
        (Q(note__isnull=True), "c"),
        (Q(note__isnull=False), "abe"),
        (Q(note=""), "b"),
        (~Q(note="first"), "bce"),
        (Q(note__gt=""), "ae"),
        (~Q(note__gt=""), "bc"),
        (Q(note=None), "c"),
        (Q(quality__gt=F("due")), "c"),
        (~Q(quality__gt=F("due")), "abe"),
        (Q(reads__gt=F("attempts") + 15), "bc"),
        (Q(taken_at=NOON), "a"),
        (Q(taken_at__gt=NOON), "bc"),
        (~Q(taken_at__gt=NOON), "ae"),
        (Q(taken_at__hour=13), "b"),
        (Q(taken_at__year=2026), "abc"),
        (Q(taken_at__date=datetime.date(2026, 3, 1)), "abc"),
        (Q(checked=False), "abce"),
        (Q(checked=True), ""),
        (Q(reads=10) | Q(label="beta"), "ab"),
        (Q(reads=10) & ~Q(label="beta"), "a"),
        (~(Q(reads=10) | Q(label="beta")), "ce"),
        (~(Q(reads=10) & Q(note="first")), "bce"),
        (Q(reads__gt=5) ^ Q(label="beta"), "ac"),
        (Q(due__gt=1) | Q(quality__lt=1), "a"),
        (~(Q(due__gt=1) | Q(quality__lt=1)), "bce"),
        (Q(pk__in=["a", "d"]), "a"),
        (Q(pk__gt="b"), "ce"),
        (Q(state="NEW"), "ace"),
        (Q(batch=None), "abce"),
    ],
    ids=str,
)
def test_a_filter_finds_what_it_says(five: None, condition: Q, expected: str) -> None:
    assert sorted(ids(Sample.objects.filter(condition, owner=1))) == list(expected)


def test_exclude_is_the_rest_where_nothing_is_null(five: None) -> None:
    assert sorted(ids(Sample.objects.filter(owner=1).exclude(reads__gt=5))) == ["e"]
    assert sorted(ids(Sample.objects.filter(owner=1).exclude(due__gt=1))) == ["b", "c", "e"]


def test_order_slices_first_and_last(five: None) -> None:
    mine = Sample.objects.filter(owner=1, taken_at__isnull=False)
    assert ids(mine.order_by("-taken_at")) == ["c", "b", "a"]
    assert ids(mine.order_by("taken_at")) == ["a", "b", "c"]
    assert ids(mine.order_by("-taken_at")[:2]) == ["c", "b"]
    assert ids(mine.order_by("-taken_at")[1:2]) == ["b"]
    assert ids(mine.order_by("-taken_at")[2:9]) == ["a"]
    assert ids(mine.order_by("-taken_at")[::2]) == ["c", "a"]
    assert ids(mine.order_by(Lower("label"))) == ["a", "c", "b"]
    assert ids(mine.order_by("-taken_at").reverse()) == ["a", "b", "c"]
    first, last = mine.order_by("reads").first(), mine.order_by("reads").last()
    assert (first and first.pk, last and last.pk) == ("a", "c")
    assert mine.order_by("reads")[1].pk == "b"
    assert mine.latest("taken_at").pk == "c" and mine.earliest("taken_at").pk == "a"
    assert Sample.objects.filter(owner=9).first() is None


def test_rows_that_tie_are_ordered_by_the_next_field() -> None:
    for number in range(6):
        sample(f"s{number}", taken_at=NOON + datetime.timedelta(hours=number // 3), reads=-number)
    newest = Sample.objects.filter(owner=1, taken_at__isnull=False)
    assert ids(newest.order_by("-taken_at", "reads")) == ["s5", "s4", "s3", "s2", "s1", "s0"]
    assert ids(newest.order_by("-taken_at", "-pk")[1:4]) == ["s4", "s3", "s2"]


def test_several_partitions_are_merged_in_order(five: None) -> None:
    both = Sample.objects.filter(owner__in=[1, 2], taken_at__isnull=False)
    assert ids(both.order_by("-taken_at", "pk")) == ["c", "b", "a", "d"]
    assert ids(both.order_by("-taken_at", "pk")[:3]) == ["c", "b", "a"]


def test_nulls_stand_where_the_order_puts_them(five: None) -> None:
    mine = Sample.objects.filter(owner=1)
    assert ids(mine.order_by(F("due").asc(nulls_last=True), "pk")) == ["c", "a", "b", "e"]
    assert ids(mine.order_by(F("due").desc(nulls_first=True), "pk")) == ["b", "e", "a", "c"]


def test_values_only_and_defer(five: None) -> None:
    mine = Sample.objects.filter(owner=1, taken_at__isnull=False).order_by("taken_at")
    assert list(mine.values_list("label", "reads"))[:2] == [("alpha", 10), ("beta", 20)]
    assert list(mine.values_list("label", flat=True)) == ["alpha", "beta", "Alpine"]
    assert mine.values("sample_id", "state")[0] == {"sample_id": "a", "state": "NEW"}
    assert list(mine.order_by("state").values_list("state", flat=True).distinct()) == ["DONE", "NEW"]
    assert len(mine.values_list("state", flat=True).distinct()) == 3, "the order by taken_at counts"
    only = mine.only("label")[0]
    assert only.get_deferred_fields() >= {"reads", "state"} and only.reads == 10
    assert mine.defer("label")[0].label == "alpha"
    assert mine.values_list("taken_at", flat=True)[0] == NOON


def test_annotations_are_computed(five: None) -> None:
    found = Sample.objects.annotate(
        twice=F("reads") * 2,
        name=Concat(Upper("label"), Value("-"), "state", output_field=CharField()),
        size=Length("label"),
        rank=Case(When(reads__gte=20, then=Value("many")), default=Value("few")),
        said=Coalesce("note", Value("nothing"), output_field=CharField()),
    )
    b = found.get(pk="b")
    assert (b.twice, b.name, b.size, b.rank, b.said) == (40, "BETA-DONE", 4, "many", "")
    assert found.get(pk="c").said == "nothing"
    assert ids(found.filter(owner=1, twice=60)) == ["c"]
    assert Sample.objects.alias(half=F("reads") / 2).filter(owner=1, half=5).get().pk == "a"


def test_counts_and_aggregates(five: None) -> None:
    mine = Sample.objects.filter(owner=1)
    assert mine.count() == 4 and mine.filter(reads__gt=5)[:2].count() == 2
    assert mine.exists() and not mine.filter(label="no").exists()
    assert mine.aggregate(Min("reads"), Max("reads"), Sum("reads"), Avg("reads"), Count("note")) == {
        "reads__min": 0,
        "reads__max": 30,
        "reads__sum": 60,
        "reads__avg": 15.0,
        "note__count": 3,
    }
    assert mine.aggregate(n=Count("state", distinct=True), q=Sum("quality")) == {"n": 2, "q": 2.0}
    assert mine.aggregate(n=Count("pk", filter=Q(reads__gt=5)), d=Max("taken_at") - Min("taken_at")) == {
        "n": 3,
        "d": datetime.timedelta(hours=2),
    }
    assert mine.order_by("-reads")[:2].aggregate(Sum("reads")) == {"reads__sum": 50}
    nobody = Sample.objects.filter(owner=9)
    assert nobody.aggregate(Sum("reads"), Count("pk")) == {"reads__sum": None, "pk__count": 0}


def test_in_bulk_and_contains(five: None) -> None:
    assert {pk: one.label for pk, one in Sample.objects.in_bulk(["a", "b", "x"]).items()} == {
        "a": "alpha",
        "b": "beta",
    }
    assert Sample.objects.filter(owner=1).contains(Sample.objects.get(pk="a"))


def test_update_changes_what_matches_and_counts_it(five: None) -> None:
    mine = Sample.objects.filter(owner=1)
    assert mine.filter(reads__gte=20).update(state="SEEN", note=None, reads=F("reads") + 1) == 2
    assert list(mine.order_by("pk").values_list("pk", "state", "note", "reads")) == [
        ("a", "NEW", "first", 10),
        ("b", "SEEN", None, 21),
        ("c", "SEEN", None, 31),
        ("e", "NEW", "fifth", 0),
    ]
    assert Sample.objects.filter(pk="nobody").update(state="X") == 0
    assert Sample.objects.filter(pk="a", reads=11).update(state="X") == 0
    assert not Sample.objects.filter(pk="nobody").exists()


def test_update_computes_with_the_row_as_it_was(five: None) -> None:
    changed = Sample.objects.filter(pk="a").update(
        reads=F("reads") * 3 - 1,
        due=F("reads"),
        label=Concat("label", Value("!")),
        attempts=F("attempts") + 1,
    )
    assert changed == 1
    one = Sample.objects.get(pk="a")
    assert (one.reads, one.due, one.label, one.attempts) == (29, 10, "alpha!", 1)
    assert Sample.objects.filter(pk="e").update(due=F("due") + 1) == 1
    assert Sample.objects.get(pk="e").due is None


def test_update_by_what_only_python_can_judge(five: None) -> None:
    assert Sample.objects.filter(owner=1, label__iregex="^AL").update(state="AL") == 2
    assert sorted(ids(Sample.objects.filter(state="AL"))) == ["a", "c"]


def test_an_update_breaks_no_constraint_of_a_column(five: None) -> None:
    with pytest.raises(IntegrityError):
        Sample.objects.filter(pk="a").update(attempts=F("attempts") - 1)
    with pytest.raises(IntegrityError):
        Sample.objects.filter(pk="a").update(label=None)
    assert Sample.objects.get(pk="a").attempts == 0


def test_save_creates_updates_and_can_be_confined_to_fields(five: None) -> None:
    one, stale = Sample.objects.get(pk="a"), Sample.objects.get(pk="a")
    one.label, one.note = "changed", None
    one.save()
    stale.reads = 99
    stale.save(update_fields=["reads"])
    found = Sample.objects.get(pk="a")
    assert (found.label, found.note, found.reads) == ("changed", None, 99)
    fresh = Sample(sample_id="new")
    fresh.save()
    assert Sample.objects.filter(pk="new").exists()
    found.refresh_from_db(fields=["label"])


def test_delete_counts_what_was_there(five: None) -> None:
    assert Sample.objects.get(pk="a").delete()[0] == 1
    assert Sample.objects.filter(owner=1, reads__gt=5).delete()[0] == 2
    assert Sample.objects.filter(pk="a").delete()[0] == 0
    assert sorted(ids(Sample.objects.filter(owner__in=[1, 2]))) == ["d", "e"]


def test_get_or_create_creates_once() -> None:
    one, created = Sample.objects.get_or_create(sample_id="x", defaults={"label": "new"})
    again, created_again = Sample.objects.get_or_create(sample_id="x", defaults={"label": "other"})
    assert (created, created_again, again.label, one.pk) == (True, False, "new", "x")


def test_bulk_create_and_bulk_update() -> None:
    made = Sample.objects.bulk_create([Sample(sample_id=f"s{number}", reads=number) for number in range(30)])
    assert len(made) == 30 and Sample.objects.filter(owner=1).count() == 30
    Sample.objects.bulk_create([Sample(sample_id="s1"), Sample(sample_id="t")], ignore_conflicts=True)
    assert Sample.objects.get(pk="s1").reads == 1 and Sample.objects.filter(pk="t").exists()
    for one in made[:3]:
        one.label = f"label {one.reads}"
    assert Sample.objects.bulk_update(made[:3], ["label"]) == 3
    assert Sample.objects.get(pk="s2").label == "label 2"


def test_keys_that_count_up_and_related_objects() -> None:
    first, second = Batch.objects.create(name="one"), Batch.objects.create(name="two")
    assert second.pk > first.pk
    sample("a", batch=first), sample("b", batch=second), sample("c", batch=first)
    assert sorted(ids(first.samples.all())) == ["a", "c"]
    assert Sample.objects.get(pk="b").batch == second
    both = Sample.objects.filter(batch__in=[first, second]).prefetch_related("batch")
    assert {one.pk: one.batch and one.batch.name for one in both} == {"a": "one", "b": "two", "c": "one"}
    (loaded,) = Batch.objects.filter(pk=first.pk).prefetch_related("samples")
    assert sorted(ids(loaded.samples.all())) == ["a", "c"]
    first.delete()
    assert not Sample.objects.filter(pk__in=["a", "c"]).exists() and Sample.objects.filter(pk="b").exists()


def test_iterator_reads_in_chunks(five: None) -> None:
    found = Sample.objects.filter(owner=1, taken_at__isnull=False).order_by("taken_at").iterator(chunk_size=2)
    assert ids(found) == ["a", "b", "c"]


def test_a_misspelt_field_is_named(five: None) -> None:
    with pytest.raises(FieldError, match="lable"):
        Sample.objects.filter(lable="x").count()


def test_now_is_the_default_for_a_moment() -> None:
    sample("n", taken_at=timezone.now())
    assert Sample.objects.filter(owner=1, taken_at__lte=timezone.now()).count() == 1
