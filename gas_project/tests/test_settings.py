"""Settings come from the environment, are checked before anything starts, and are all documented."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from gas_project import environment
from gas_project.environment import BASE_DIR, Environment


def checks_with(settings: Any, environ: dict[str, str], *, deploy: bool = False) -> list[CheckMessage]:
    found = environment.load(environ)
    settings.ENVIRONMENT, settings.ENVIRONMENT_PROBLEMS, settings.ENVIRONMENT_UNKNOWN = found
    return [
        message
        for message in run_checks(include_deployment_checks=deploy)
        if message.id and message.id.startswith("gas.")
    ]


def test_the_defaults_are_right(settings: Any) -> None:
    assert checks_with(settings, {}) == []


def test_every_wrong_value_is_named_at_once_with_what_was_expected(settings: Any) -> None:
    messages = checks_with(settings, {"GAS_PORT": "80000", "GAS_BROKER_URL": "redis://localhost"})
    assert [message.id for message in messages] == ["gas.E001", "gas.E001"]
    assert "GAS_PORT is '80000'" in messages[0].msg
    assert "less than or equal to 65535" in messages[0].msg
    assert "GAS_BROKER_URL" in messages[1].msg
    assert all(message.hint for message in messages)


def test_a_misspelt_variable_gets_a_hint_and_its_value_is_not_shown(settings: Any) -> None:
    (message,) = checks_with(settings, {"GAS_SECRET_KEZ": "hush"})
    assert (message.id, message.hint) == ("gas.W001", "Did you mean GAS_SECRET_KEY?")
    assert "hush" not in message.msg


def test_a_wrong_secret_is_not_shown(settings: Any) -> None:
    problem = environment._wrong({"loc": ("secret_key",), "input": "hush", "msg": "too short"})
    assert "hush" not in problem.found


def test_a_state_folder_that_cannot_be_written_is_refused(settings: Any) -> None:
    settings.STATE_DIR = BASE_DIR / "no" / "such" / "folder"
    (message,) = checks_with(settings, {})
    assert message.id == "gas.E002"
    assert "GAS_STATE_DIR" in (message.hint or "")


STANDIN = {
    "GAS_STRIPE_STANDIN": "true",
    "GAS_STRIPE_API_KEY": "sk_test_x",
    "GAS_STRIPE_WEBHOOK_SECRETS": "whsec_x",
    "GAS_STRIPE_PRICE": "price_x",
}


@pytest.mark.parametrize(
    ("environ", "site", "ids"),
    [
        (STANDIN, "http://127.0.0.1:8000", []),
        (STANDIN, "https://gas.example.org", ["gas.E007"]),
        (STANDIN | {"GAS_STRIPE_API_KEY": "sk_live_x"}, "http://localhost:8000", ["gas.E006"]),
        ({"GAS_STRIPE_API_KEY": "sk_test_x"}, "https://gas.example.org", ["gas.E005"]),
    ],
)
def test_payments_that_cannot_be_meant_are_refused(
    settings: Any, environ: dict[str, str], site: str, ids: list[str]
) -> None:
    settings.SITE_URL = site
    assert [message.id for message in checks_with(settings, environ)] == ids


def test_the_stand_in_for_stripe_is_not_deployed(settings: Any) -> None:
    environ = STANDIN | {"GAS_SECRET_KEY": "x" * 60}
    assert [message.id for message in checks_with(settings, environ, deploy=True)] == ["gas.E008"]


def test_a_wrong_key_of_stripe_is_not_shown(settings: Any) -> None:
    (message,) = checks_with(settings, {"GAS_STRIPE_API_KEY": "pk_live_hush"})
    assert "hush" not in message.msg


@pytest.mark.parametrize(("environ", "ids"), [({}, ["gas.E003"]), ({"GAS_SECRET_KEY": "x" * 60}, [])])
def test_a_public_site_needs_a_secret_of_its_own(
    settings: Any, environ: dict[str, str], ids: list[str]
) -> None:
    assert [message.id for message in checks_with(settings, environ, deploy=True)] == ids


def test_the_operators_page_lists_every_variable_and_no_other() -> None:
    page = (BASE_DIR / "docs" / "operators.md").read_text()
    listed = re.findall(r"^\| `(GAS_\w+)` \|", page, flags=re.MULTILINE)
    assert listed == [environment.variable(name) for name in Environment.model_fields]


def test_the_operators_page_gives_the_defaults() -> None:
    page = (BASE_DIR / "docs" / "operators.md").read_text()
    for name, field in Environment.model_fields.items():
        if isinstance(field.default, int) and not isinstance(field.default, bool):
            row = rf"^\| `{environment.variable(name)}` \| {field.default} \|"
            assert re.search(row, page, flags=re.MULTILINE), name


@pytest.mark.parametrize(
    ("site_url", "secure"), [("https://gas.example.org", True), ("http://10.0.0.5", False)]
)
def test_cookies_travel_over_tls_alone_where_the_site_has_it(
    site_url: str, secure: bool, tmp_path: Path
) -> None:
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS")
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "from django.conf import settings; import json; "
            f"print(json.dumps([bool(getattr(settings, name)) for name in {names}]))",
        ],
        env={
            "DJANGO_SETTINGS_MODULE": "gas_project.settings",
            "GAS_SITE_URL": site_url,
            "GAS_STATE_DIR": str(tmp_path),
        },
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(said.stdout) == [secure] * 3


@pytest.mark.parametrize(
    ("environ", "ids"),
    [
        ({"GAS_INPUTS_BUCKET": "in", "GAS_RESULTS_BUCKET": "out"}, []),
        ({"GAS_INPUTS_BUCKET": "in"}, ["gas.E009"]),
        ({"GAS_RESULTS_BUCKET": "out"}, ["gas.E009"]),
    ],
)
def test_files_are_all_in_s3_or_none(settings: Any, environ: dict[str, str], ids: list[str]) -> None:
    assert [message.id for message in checks_with(settings, environ)] == ids


def test_a_wrong_address_of_the_database_is_not_shown(settings: Any) -> None:
    (message,) = checks_with(settings, {"GAS_DATABASE_URL": "mysql://gas:hush@db/gas"})
    assert "hush" not in message.msg


def test_a_file_that_systemd_hands_over_counts_as_its_variable(tmp_path: Path) -> None:
    (tmp_path / "GAS_SECRET_KEY").write_text("from the file\n")
    (tmp_path / "GAS_STRIPE_API_KEY").write_text("")
    (tmp_path / "something-else").write_text("x")
    found, wrong, unknown = environment.load({"CREDENTIALS_DIRECTORY": str(tmp_path), "GAS_PORT": "8080"})
    assert (found.secret_key, found.stripe_api_key, found.port) == ("from the file", "", 8080)
    assert (wrong, unknown) == ([], [])
    assert "stripe_api_key" not in found.model_fields_set


def test_the_database_may_be_postgresql(tmp_path: Path) -> None:
    said = settings_with(
        tmp_path,
        "DATABASES",
        {"GAS_DATABASE_URL": "postgresql://gas:a%2Fb@db.example:5433/gas?sslmode=require"},
    )["default"]
    assert said["ENGINE"] == "django.db.backends.postgresql"
    assert (said["HOST"], said["PORT"], said["USER"], said["PASSWORD"]) == (
        "db.example",
        "5433",
        "gas",
        "a/b",
    )
    assert said["OPTIONS"] == {"sslmode": "require"}


def test_static_files_may_come_from_a_cdn_with_their_hash_in_their_names(tmp_path: Path) -> None:
    variables = {"GAS_STATIC_DIR": str(tmp_path / "static"), "GAS_STATIC_URL": "https://cdn.example/static/"}
    names = ("STATIC_URL", "STATIC_ORIGINS", "STORAGES", "WHITENOISE_USE_FINDERS")
    url, origins, storages, finders = (settings_with(tmp_path, name, variables) for name in names)
    assert (url, origins, finders) == ("https://cdn.example/static/", ["https://cdn.example"], False)
    assert "Manifest" in storages["staticfiles"]["BACKEND"]


def settings_with(tmp_path: Path, name: str, variables: dict[str, str]) -> Any:
    """One of Django's settings in a process that has these variables."""
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from django.conf import settings; import json; print(json.dumps(settings.{name}, default=str))",
        ],
        env={"DJANGO_SETTINGS_MODULE": "gas_project.settings", "GAS_STATE_DIR": str(tmp_path)} | variables,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(said.stdout)


def test_on_aws_sqs_and_sns_are_each_found_at_their_own_address(tmp_path: Path) -> None:
    code = """
from gas_project.celery import app
from tasks.sqs import sqs_client
connection = app.connection_for_write()
print(sqs_client(connection).meta.endpoint_url, connection.hostname)
"""
    variables = {"GAS_BROKER_URL": "aws", "AWS_DEFAULT_REGION": "eu-west-1", "GAS_STATE_DIR": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={"DJANGO_SETTINGS_MODULE": "gas_project.settings"} | variables,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    # kombu gives a client of SNS the broker's host, too, so there must be none.
    assert said.stdout.split() == ["https://sqs.eu-west-1.amazonaws.com", "None"]
