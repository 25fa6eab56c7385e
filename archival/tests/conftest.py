"""A world in memory."""

from collections.abc import Iterator
from typing import Any

import pytest

from archival.tests.world import World


@pytest.fixture
def world(sent_tasks: list[Any], db: None) -> Iterator[World]:
    with World(sent_tasks).in_place() as world:
        yield world


@pytest.fixture
def premium(world: World, user: Any) -> Any:
    """The user, on the tier that keeps results."""
    world.set_tier(user, "premium")
    return user
