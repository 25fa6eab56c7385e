"""A running service, one for each module of tests."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from annotations.tests.waiting import free_port, wait_until
from gas_project.tests.onemachine.service import Service, start


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    """Settings of the service, for a module of tests that wants others than the defaults."""
    return {}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, variables: dict[str, str]) -> Iterator[Service]:
    state_dir = tmp_path_factory.mktemp("a folder with spaces") / "var"
    state_dir.mkdir()
    service = start(
        {key: value for key, value in os.environ.items() if not key.startswith(("GAS_", "AWS_", "DJANGO_"))}
        | {
            "GAS_STATE_DIR": str(state_dir),
            "GAS_PORT": str(free_port()),
            "GAS_BROKER_PORT": str(free_port()),
            "GAS_STRIPE_STANDIN_PORT": str(free_port()),
            "GAS_FREE_UPLOAD_MAX_BYTES": "1000000",
            "GAS_FLOWER_PORT": str(free_port()),
        }
        | variables
    )
    wait_until(
        lambda: bool(service.said("ready: open")) or service.process.poll() is not None, timeout_seconds=90
    )
    assert service.said("ready: open"), service.lines
    yield service
    if service.process.poll() is None:
        service.process.kill()
    service.process.wait(timeout=10)
    assert service.process.stdout is not None
    service.process.stdout.close()


@pytest.fixture
def visit(chromium: Any, service: Service) -> Iterator[Callable[..., Any]]:
    """Opens a page in a browser of its own, with no cookies."""
    contexts: list[Any] = []

    def visit_(path: str = "/", **options: Any) -> Any:
        site = f"http://127.0.0.1:{service.environment['GAS_PORT']}"
        context = chromium.new_context(base_url=site, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield visit_
    for context in contexts:
        context.close()
