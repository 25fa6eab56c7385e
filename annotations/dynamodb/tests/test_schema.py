"""Migrations make, change and drop tables and indexes, or refuse what would not be kept."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DataError, NotSupportedError, connections, models
from django.test.utils import isolate_apps

from annotations.dynamodb.tests.connecting import connected

ALIAS = "schema_under_test"


@pytest.fixture(params=["dynalite", "ministack"])
def connection(request: pytest.FixtureRequest, server: Any, django_db_blocker: Any) -> Iterator[Any]:
    yield from _connection(server(request.param), django_db_blocker)


@pytest.fixture
def on_ministack(server: Any, django_db_blocker: Any) -> Iterator[Any]:
    """For what dynalite does otherwise than DynamoDB."""
    yield from _connection(server("ministack"), django_db_blocker)


def _connection(database: dict[str, Any], blocker: Any) -> Iterator[Any]:
    prefix = f"schema-{uuid.uuid4().hex[:6]}-"
    with blocker.unblock(), connected(database | {"NAME": prefix}, ALIAS) as connection:
        yield connection


def model(**attributes: Any) -> Any:
    """A model `Thing` of its own registry."""
    with isolate_apps("annotations.dynamodb.tests"):
        meta = type("Meta", (), {"app_label": "dynamodb_tests", **attributes.pop("meta", {})})
        key = attributes.pop("key", models.CharField(primary_key=True, max_length=36))
        return type(
            "Thing", (models.Model,), {"__module__": __name__, "key": key, "Meta": meta, **attributes}
        )


def make(connection: Any, thing: Any) -> Any:
    with connection.schema_editor() as editor:
        editor.create_model(thing)
    return thing.objects.using(ALIAS)


def indexes_of(connection: Any, thing: Any) -> dict[str, list[str]]:
    constraints = connection.introspection.get_constraints(None, thing._meta.db_table)
    return {name: one["columns"] for name, one in constraints.items() if one["index"]}


def test_a_table_has_the_declared_indexes_and_is_paid_by_request(connection: Any) -> None:
    thing = model(
        kind=models.CharField(max_length=9),
        at=models.DateTimeField(null=True, db_column="made_at"),
        meta={"indexes": [models.Index(fields=["kind", "-at"], name="by_kind")]},
    )
    make(connection, thing)
    assert indexes_of(connection, thing) == {"by_kind": ["kind", "made_at"]}
    name = connection.table_name(thing._meta.db_table)
    table = connection.requests("describe_table", TableName=name)["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    assert types == {"key": "S", "kind": "S", "made_at": "N"}
    assert thing._meta.db_table in connection.introspection.table_names()


def test_an_index_is_added_to_a_table_with_items_and_removed(on_ministack: Any) -> None:
    connection = on_ministack  # dynalite asks for the throughput of an index that is paid by request
    thing = model(kind=models.CharField(max_length=9))
    things = make(connection, thing)
    things.create(key="a", kind="x")
    index = models.Index(fields=["kind"], name="by_kind")
    with connection.schema_editor() as editor:
        editor.add_index(thing, index)
    assert indexes_of(connection, thing) == {"by_kind": ["kind"]}
    with connection.schema_editor() as editor:
        editor.remove_index(thing, index)
    assert indexes_of(connection, thing) == {}


def test_a_new_field_has_its_constant_default_in_items_written_before(connection: Any) -> None:
    old = model(kind=models.CharField(max_length=9))
    make(connection, old).create(key="a", kind="x")
    new = model(kind=models.CharField(max_length=9), size=models.IntegerField(default=3, db_index=False))
    with connection.schema_editor() as editor:
        editor.add_field(old, new._meta.get_field("size"))
    things = new.objects.using(ALIAS)
    assert things.get(pk="a").size == 3
    assert things.filter(pk="a", size=3).update(size=models.F("size") + 1) == 1
    assert things.filter(pk="a", size__gt=3).count() == 1
    assert things.filter(pk="a").exclude(size=4).count() == 0


def test_a_changed_default_is_for_new_items_alone(connection: Any) -> None:
    first = model()
    make(connection, first).create(key="a")
    old, new = (model(size=models.IntegerField(default=size)) for size in (3, 5))
    with connection.schema_editor() as editor:
        editor.add_field(first, old._meta.get_field("size"))
        editor.alter_field(old, old._meta.get_field("size"), new._meta.get_field("size"))
    assert new.objects.using(ALIAS).get(pk="a").size == 3


def test_a_field_without_a_value_for_what_is_there_is_refused(connection: Any) -> None:
    old = model()
    things = make(connection, old)
    new = model(at=models.DateTimeField())
    with connection.schema_editor() as editor:
        editor.add_field(old, new._meta.get_field("at"))  # nothing is there
    things.create(key="a")
    with connection.schema_editor() as editor, pytest.raises(NotSupportedError, match="items without at"):
        editor.add_field(old, new._meta.get_field("at"))


def test_a_removed_field_leaves_the_items(connection: Any) -> None:
    old, new = model(note=models.CharField(max_length=9, null=True)), model()
    make(connection, old).create(key="a", note="secret")
    with connection.schema_editor() as editor:
        editor.remove_field(old, old._meta.get_field("note"))
    assert old.objects.using(ALIAS).get(pk="a").note is None
    assert new.objects.using(ALIAS).get(pk="a").pk == "a"


def test_keys_that_count_up_start_anew_with_the_table(connection: Any) -> None:
    thing = model(key=models.AutoField(primary_key=True))
    things = make(connection, thing)
    assert [things.create().pk for _ in range(3)] == [1, 2, 3]
    with connection.schema_editor() as editor:
        editor.delete_model(thing)
    assert make(connection, thing).create().pk == 1


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"name": models.CharField(max_length=9, unique=True)}, "unique=True"),
        ({"a": models.IntegerField(), "meta": {"unique_together": [("key", "a")]}}, "no constraints"),
        (
            {"meta": {"constraints": [models.CheckConstraint(condition=models.Q(key="x"), name="c")]}},
            "no constraints",
        ),
        (
            {"a": models.BooleanField(), "meta": {"indexes": [models.Index(fields=["a"], name="i")]}},
            "booleans can't be keys",
        ),
        (
            {
                "a": models.IntegerField(),
                "b": models.IntegerField(),
                "meta": {"indexes": [models.Index(fields=["a", "b", "key"], name="i")]},
            },
            "3 fields",
        ),
        (
            {
                "a": models.IntegerField(),
                "b": models.IntegerField(null=True),
                "meta": {
                    "indexes": [models.Index(fields=["a"], name="i", condition=models.Q(b__isnull=False))]
                },
            },
            "may only say",
        ),
        ({"meta": {"indexes": [models.Index(models.F("key"), name="i")]}}, "indexes fields, nothing else"),
    ],
    ids=["unique", "unique_together", "check", "boolean key", "three keys", "condition", "expression"],
)
def test_what_would_not_be_kept_is_refused(connection: Any, attributes: dict[str, Any], words: str) -> None:
    with pytest.raises(NotSupportedError, match=words):
        make(connection, model(**attributes))


def test_an_attribute_can_be_neither_renamed_nor_given_another_type(connection: Any) -> None:
    old, other = (
        model(a=models.IntegerField()),
        model(b=models.IntegerField(), a=models.CharField(max_length=9)),
    )
    with connection.schema_editor() as editor:
        with pytest.raises(NotSupportedError, match="db_column"):
            editor.alter_field(old, old._meta.get_field("a"), other._meta.get_field("b"))
        with pytest.raises(NotSupportedError, match="new type"):
            editor.alter_field(old, old._meta.get_field("a"), other._meta.get_field("a"))
        with pytest.raises(NotSupportedError, match="db_table"):
            editor.alter_db_table(old, "a", "b")


def test_sqlmigrate_shows_the_requests(connection: Any) -> None:
    with connection.schema_editor(collect_sql=True) as editor:
        editor.create_model(model())
    assert editor.collected_sql[0].startswith("-- create_table\n{")
    assert connection.introspection.table_names() == []


def test_an_empty_text_as_a_key_is_refused_before_it_is_lost(on_ministack: Any) -> None:
    thing = model(
        kind=models.CharField(max_length=9, blank=True),
        meta={"indexes": [models.Index(fields=["kind"], name="by_kind")]},
    )
    with pytest.raises(DataError):  # dynalite takes it
        make(on_ministack, thing).create(key="a", kind="")


def test_backups_protection_and_expiry_are_options(server: Any, django_db_blocker: Any) -> None:
    database = server("ministack")
    options = {
        "point_in_time_recovery": True,
        "deletion_protection": True,
        "ttl": {"dynamodb_tests_thing": "gone_at"},
    }
    database = database | {"NAME": "options-", "OPTIONS": database["OPTIONS"] | options}
    with django_db_blocker.unblock(), connected(database, ALIAS) as connection:
        thing = model(gone_at=models.DateTimeField(null=True))
        make(connection, thing)
        name = connection.table_name(thing._meta.db_table)
        requests = connection.requests
        assert requests("describe_table", TableName=name)["Table"]["DeletionProtectionEnabled"]
        backups = requests("describe_continuous_backups", TableName=name)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        expiry = requests("describe_time_to_live", TableName=name)["TimeToLiveDescription"]
        assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "gone_at"}


def test_a_misspelt_option_is_named(server: Any) -> None:
    database = server("ministack")
    database = database | {"OPTIONS": database["OPTIONS"] | {"scans": "allow"}}
    with pytest.raises(ImproperlyConfigured, match="has scans"), connected(database, ALIAS):
        pass
    connections.settings.pop(ALIAS, None)
