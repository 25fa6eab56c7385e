"""Stripe's form encoding: `a[b][0][c]=d` for nested mappings and lists."""

import re
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

from billing.standin.errors import invalid

Parameters = dict[str, Any]


def decode(encoded: str) -> Parameters:
    """
    >>> decode("mode=subscription&line_items[0][price]=price_1&expand[]=data.customer")
    {'mode': 'subscription', 'line_items': [{'price': 'price_1'}], 'expand': ['data.customer']}
    """
    root: Parameters = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        keys = [name.partition("[")[0], *re.findall(r"\[([^\]]*)\]", name)]
        place: dict[str, Any] = root
        for key, following in pairwise(keys):
            place = place.setdefault(key or str(len(place)), {})
            if not isinstance(place, dict):
                raise invalid(f"Invalid hash: {following}", param=name)
        place[keys[-1] or str(len(place))] = value
    return {key: _lists(value) for key, value in root.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(entry) for key, entry in value.items()}
    return list(inner.values()) if all(key.isdigit() for key in inner) else inner


def only(given: Parameters, *allowed: str, required: tuple[str, ...] = ()) -> None:
    """Refuse what the operation does not know, and what it lacks."""
    for name in given:
        if name not in {*allowed, *required, "expand"}:
            raise invalid(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    for name in required:
        if not given.get(name):
            raise invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)


def boolean(value: str) -> bool:
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}")
    return value == "true"
