"""Random queries and updates give on DynamoDB what they give on SQLite.

`DYNAMODB_TESTS_IN_FULL=1` runs 5,000 on each emulator, `DYNAMODB_TESTS_SEED` repeats a run.
"""

from __future__ import annotations

import datetime
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Avg, Count, F, Max, Min, Q, Sum

from annotations.dynamodb.tests.connecting import connected, drop_tables, make_tables
from annotations.dynamodb.tests.models import Sample

QUERIES = 5000 if os.environ.get("DYNAMODB_TESTS_IN_FULL") else 80
SEED = int(os.environ.get("DYNAMODB_TESTS_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
ROWS = 40
NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)

TEXTS = ["", "a", "ab", "abc", "b", "ba", "é", "zz", "10", "日本"]
STATES = ["NEW", "DONE", "FAILED"]
NUMBERS: dict[str, list[Any]] = {
    "owner": [1, 2, 3],
    "reads": [-5, 0, 1, 2, 7, 10**12],
    "attempts": [0, 1, 2, 3],
    "due": [None, -1, 0, 1, 5],
    "quality": [None, -0.5, 0.1, 1.5, 1e10],
}
VALUES: dict[str, list[Any]] = {
    **NUMBERS,
    "label": TEXTS,
    "note": [None, *TEXTS],
    "state": STATES,
    "checked": [True, False],
    "taken_at": [None, *(NOON + datetime.timedelta(hours=hours) for hours in range(4))],
    "sample_id": [f"s{number:02}" for number in range(ROWS + 5)],
}


class Chooser:
    """Conditions, updates and orders, at random."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  repeatable, and no secret

    def row(self, number: int) -> dict[str, Any]:
        values = {name: self.random.choice(choices) for name, choices in VALUES.items()}
        return values | {"sample_id": f"s{number:02}"}

    def value(self, name: str) -> Any:
        return self.random.choice([value for value in VALUES[name] if value is not None])

    def condition(self, depth: int = 3) -> Q:
        if depth and self.random.random() < 0.55:
            left, right = self.condition(depth - 1), self.condition(depth - 1)
            joined = self.random.choice([left & right, left | right, left | right, left ^ right])
            return ~joined if self.random.random() < 0.3 else joined
        leaf = self.leaf()
        return ~leaf if self.random.random() < 0.3 else leaf

    def leaf(self) -> Q:
        name = self.random.choice(list(VALUES))
        lookups = ["exact", "exact", "in", "isnull"]
        if name != "checked":
            lookups += ["lt", "lte", "gt", "gte", "range"]
        if name in {"label", "note", "state", "sample_id"}:
            lookups += ["startswith", "contains", "endswith", "regex"]
        if name in NUMBERS:
            lookups += ["other", "sum"]
        return self.lookup(name, self.random.choice(lookups))

    def lookup(self, name: str, lookup: str) -> Q:  # noqa: PLR0911  one each
        if lookup == "in":
            return Q(**{f"{name}__in": [self.value(name) for _ in range(self.random.randrange(4))]})
        if lookup == "isnull":
            return Q(**{f"{name}__isnull": self.random.random() < 0.5})
        if lookup == "range":
            return Q(**{f"{name}__range": (self.value(name), self.value(name))})
        if lookup == "regex":
            return Q(**{f"{name}__regex": self.random.choice(["^a", "b$", "[0-9]", "."])})
        comparison = self.random.choice(["exact", "lt", "lte", "gt", "gte"])
        if lookup == "other":
            return Q(**{f"{name}__{comparison}": F(self.random.choice(list(NUMBERS)))})
        if lookup == "sum":
            return Q(
                **{
                    f"{name}__{comparison}": F(self.random.choice(["reads", "due"]))
                    + self.random.randrange(3)
                }
            )
        return Q(**{f"{name}__{lookup}": self.value(name)})

    def where(self) -> Q:
        """Often with what an index or the key can serve."""
        condition = self.condition()
        match self.random.randrange(6):
            case 0:
                return condition & Q(owner=self.value("owner"))
            case 1:
                return condition & Q(state=self.value("state"))
            case 2:
                return condition & Q(owner__in=[1, 3], due__isnull=False)
            case 3:
                return condition & Q(owner=1, taken_at__gte=self.value("taken_at"))
            case 4:
                return condition & Q(pk__in=[self.value("sample_id") for _ in range(5)])
            case _:
                return condition

    def order(self) -> list[str]:
        names = self.random.sample([name for name in VALUES if name != "sample_id"], self.random.randrange(3))
        return [self.random.choice(["", "-"]) + name for name in names] + ["sample_id"]

    def changes(self) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        for name in self.random.sample(["label", "note", "state", "due", "quality", "reads", "taken_at"], 2):
            changes[name] = self.random.choice(VALUES[name])
        match self.random.randrange(5):
            case 0:
                changes["attempts"] = F("attempts") + 1
            case 1:
                changes["due"] = F("due") + F("owner")
            case 2:
                changes["reads"] = F("owner") * 2 - 1
        return changes


@pytest.fixture(params=["dynalite", "ministack"])
def pair(
    request: pytest.FixtureRequest, server: Any, tmp_path: Any, django_db_blocker: Any
) -> Iterator[None]:
    """The same rows in two databases."""
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "pair.sqlite3")}
    dynamodb = server(request.param)
    dynamodb = dynamodb | {"NAME": "pair-", "OPTIONS": dynamodb["OPTIONS"] | {"scan": "allow"}}
    with (
        django_db_blocker.unblock(),
        connected(sqlite, "expected") as expected,
        connected(dynamodb, "found") as found,
    ):
        with expected.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = OFF")
        make_tables(expected)
        make_tables(found)
        yield
        drop_tables(found)


def refill(chooser: Chooser) -> None:
    rows = [chooser.row(number) for number in range(ROWS)]
    for alias in ("expected", "found"):
        Sample.objects.using(alias).filter(pk__in=VALUES["sample_id"]).delete()
        Sample.objects.using(alias).bulk_create([Sample(**row) for row in rows])


def outcome(  # noqa: PLR0913, PLR0917
    alias: str, kind: str, where: Q, order: list[str], slicing: slice, changes: dict[str, Any]
) -> Any:
    matching = Sample.objects.using(alias).filter(where)
    match kind:
        case "rows":
            return list(matching.order_by(*order)[slicing].values_list())
        case "count":
            return matching.count(), matching.exists(), matching[slicing].count()
        case "aggregate":
            return matching.aggregate(
                Count("note"),
                Min("taken_at"),
                Max("label"),
                Sum("reads"),
                Avg("due"),
                d=Count("due", distinct=True),
            )
        case "update":
            changed = matching.update(**changes)
        case _:
            changed = matching.delete()
    return changed, list(Sample.objects.using(alias).order_by("pk").values_list())


@pytest.mark.timeout(1800)
def test_random_queries_and_updates_agree_with_sqlite(pair: None) -> None:
    print(f"seed {SEED}, {QUERIES} queries and updates")  # noqa: T201  to repeat a run that failed
    chooser = Chooser(SEED)
    refill(chooser)
    for number in range(QUERIES):
        kind = chooser.random.choices(
            ["rows", "count", "aggregate", "update", "delete"], weights=[12, 4, 3, 5, 0.3]
        )[0]
        start = chooser.random.randrange(4)
        slicing = slice(start, chooser.random.choice([None, start + chooser.random.randrange(6)]))
        given = (kind, chooser.where(), chooser.order(), slicing, chooser.changes())
        expected, found = outcome("expected", *given), outcome("found", *given)
        assert found == expected, f"seed {SEED}, query {number}: {given}"
        if kind == "delete" or number % 100 == 99:
            refill(chooser)
