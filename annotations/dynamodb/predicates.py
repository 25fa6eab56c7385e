"""Three-valued logic over items.

A predicate is judged here, by `holds`, and that decides. DynamoDB is given as much of it as its expressions
can say, by `condition`: in filters to narrow what is read, in writes as the condition of the write.

Negation stands at the leaves only. SQL's NOT of an unknown is unknown, whereas DynamoDB's NOT of a comparison
with an attribute that isn't there is true: hence the guards at `Not`. They leave out NULLs too, which other
programs may have written where this one leaves the attribute out.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.dynamodb.attributes import Attribute, AttributeValue, Item

MOST_IN_OPERANDS = 100
# DynamoDB takes 4096; ours has more to say in the same expression.
MOST_EXPRESSION_BYTES = 3000


class Inexpressible(Exception):
    """DynamoDB's expressions can't say this."""


@dataclass
class Expression:
    """Names and values of one request's expressions. Of 573 reserved words, so every name is aliased."""

    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, AttributeValue] = field(default_factory=dict)
    # A query's filter may not name the keys of its index.
    forbidden: frozenset[str] = frozenset()

    def name(self, attribute: str) -> str:
        if attribute in self.forbidden:
            raise Inexpressible(attribute)
        for alias, known in self.names.items():
            if known == attribute:
                return alias
        alias = f"#n{len(self.names)}"
        self.names[alias] = attribute
        return alias

    def value(self, value: AttributeValue) -> str:
        alias = f":v{len(self.values)}"
        self.values[alias] = value
        return alias

    def parameters(self) -> dict[str, Any]:
        named = {"ExpressionAttributeNames": self.names} if self.names else {}
        return named | ({"ExpressionAttributeValues": self.values} if self.values else {})

    def attempt(self, say: Callable[[Expression], str | None]) -> str | None:
        """What `say` gives; None, with nothing left behind, where DynamoDB can't take it."""
        names, values = dict(self.names), dict(self.values)
        try:
            said = say(self)
        except Inexpressible:
            said = None
        if said is None or len(said.encode()) > MOST_EXPRESSION_BYTES:
            self.names, self.values = names, values
            return None
        return said


@dataclass(frozen=True)
class Bounds:
    """Values outside of these don't satisfy a predicate; None is no bound."""

    low: Any = None
    high: Any = None

    def __and__(self, other: Bounds) -> Bounds:
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        return Bounds(max(lows, default=None), min(highs, default=None))

    def __or__(self, other: Bounds) -> Bounds:
        low = None if self.low is None or other.low is None else min(self.low, other.low)
        high = None if self.high is None or other.high is None else max(self.high, other.high)
        return Bounds(low, high)


class Predicate(ABC):
    @abstractmethod
    def holds(self, item: Item) -> bool | None:
        """True, False, or None for unknown."""

    @abstractmethod
    def condition(self, expression: Expression) -> str:
        """The same as DynamoDB's condition: satisfied exactly where `holds` is True. Raises Inexpressible."""

    @abstractmethod
    def negated(self) -> Predicate: ...

    @abstractmethod
    def attributes(self) -> frozenset[Attribute]:
        """Those that the outcome depends on."""

    def narrowing(self, expression: Expression) -> str | None:
        """A condition that everything meets for which this holds; None where nothing can be said."""
        return expression.attempt(self.condition)

    def candidates(self, name: str) -> frozenset[Any] | None:
        """The only values of an attribute with which this may hold; None: they can't be told."""
        return None

    def bounds(self, name: str) -> Bounds:
        return Bounds()

    def demands(self, name: str) -> bool:
        """Whether this holds only for items that have the attribute."""
        return False

    def given(self, attribute: Attribute, item: Item) -> Predicate:
        """The same where one attribute's value is known, for a condition on the item with that key."""
        return self


@dataclass(frozen=True)
class Constant(Predicate):
    value: bool | None

    def holds(self, item: Item) -> bool | None:
        return self.value

    def condition(self, expression: Expression) -> str:
        raise Inexpressible("a constant")  # `And` and `Or` simplify it away

    def negated(self) -> Predicate:
        return Constant(None if self.value is None else not self.value)

    def attributes(self) -> frozenset[Attribute]:
        return frozenset()

    def candidates(self, name: str) -> frozenset[Any] | None:
        return None if self.value else frozenset()


ALWAYS, NEVER, UNKNOWN = Constant(True), Constant(False), Constant(None)


@dataclass(frozen=True)
class _Several(Predicate):
    parts: tuple[Predicate, ...]

    def attributes(self) -> frozenset[Attribute]:
        return frozenset().union(*(part.attributes() for part in self.parts))


class And(_Several):
    def holds(self, item: Item) -> bool | None:
        outcome: bool | None = True
        for part in self.parts:
            one = part.holds(item)
            if one is False:
                return False
            outcome = outcome if one else None
        return outcome

    def condition(self, expression: Expression) -> str:
        return _joined("AND", [part.condition(expression) for part in self.parts])

    def narrowing(self, expression: Expression) -> str | None:
        def say(expression: Expression) -> str | None:
            said = [text for part in self.parts if (text := part.narrowing(expression)) is not None]
            return _joined("AND", said) if said else None

        return expression.attempt(say)

    def negated(self) -> Predicate:
        return any_of([part.negated() for part in self.parts])

    def candidates(self, name: str) -> frozenset[Any] | None:
        known = [found for part in self.parts if (found := part.candidates(name)) is not None]
        return frozenset.intersection(*known) if known else None

    def bounds(self, name: str) -> Bounds:
        bounds = Bounds()
        for part in self.parts:
            bounds &= part.bounds(name)
        return bounds

    def demands(self, name: str) -> bool:
        return any(part.demands(name) for part in self.parts)

    def given(self, attribute: Attribute, item: Item) -> Predicate:
        return all_of([part.given(attribute, item) for part in self.parts])


class Or(_Several):
    def holds(self, item: Item) -> bool | None:
        outcome: bool | None = False
        for part in self.parts:
            one = part.holds(item)
            if one:
                return True
            outcome = None if one is None else outcome
        return outcome

    def condition(self, expression: Expression) -> str:
        return _joined("OR", [part.condition(expression) for part in self._possible])

    def narrowing(self, expression: Expression) -> str | None:
        def say(expression: Expression) -> str | None:
            said = [text for part in self._possible if (text := part.narrowing(expression)) is not None]
            return _joined("OR", said) if len(said) == len(self._possible) else None

        return expression.attempt(say)

    @property
    def _possible(self) -> list[Predicate]:
        """No constant here is true; the false and unknown ones add nothing to a condition."""
        return [part for part in self.parts if not isinstance(part, Constant)]

    def negated(self) -> Predicate:
        return all_of([part.negated() for part in self.parts])

    def candidates(self, name: str) -> frozenset[Any] | None:
        found = [part.candidates(name) for part in self.parts]
        known = [values for values in found if values is not None]
        return frozenset().union(*known) if len(known) == len(found) else None

    def bounds(self, name: str) -> Bounds:
        bounds = self.parts[0].bounds(name)
        for part in self.parts[1:]:
            bounds |= part.bounds(name)
        return bounds

    def demands(self, name: str) -> bool:
        return all(part.demands(name) for part in self.parts)

    def given(self, attribute: Attribute, item: Item) -> Predicate:
        return any_of([part.given(attribute, item) for part in self.parts])


def all_of(parts: Sequence[Predicate]) -> Predicate:
    if NEVER in parts:
        return NEVER
    kept = tuple(part for part in parts if part != ALWAYS)
    return kept[0] if len(kept) == 1 else And(kept) if kept else ALWAYS


def any_of(parts: Sequence[Predicate]) -> Predicate:
    if ALWAYS in parts:
        return ALWAYS
    kept = tuple(part for part in parts if part != NEVER)
    return kept[0] if len(kept) == 1 else Or(kept) if kept else NEVER


def _joined(word: str, parts: list[str]) -> str:
    """DynamoDB refuses redundant parentheses."""
    return parts[0] if len(parts) == 1 else f" {word} ".join(f"({part})" for part in parts)


class Leaf(Predicate):
    """About the value of one attribute."""

    attribute: Attribute

    @abstractmethod
    def judge(self, value: Any) -> bool:
        """For a value that is not None."""

    @abstractmethod
    def said(self, path: str, expression: Expression) -> str:
        """The condition on the attribute at `path`, false for items that lack it. Raises Inexpressible."""

    def holds(self, item: Item) -> bool | None:
        value = self.attribute.read(item)
        return None if value is None else self.judge(value)

    def condition(self, expression: Expression) -> str:
        path = expression.name(self.attribute.name)
        said = self.said(path, expression)
        if self.attribute.missing is not None and self.judge(self.attribute.missing):
            return f"{has_no_value(path, expression)} OR {said}"
        return said

    def negated(self) -> Predicate:
        return Not(self)

    def attributes(self) -> frozenset[Attribute]:
        return frozenset((self.attribute,))

    def demands(self, name: str) -> bool:
        return name == self.attribute.name

    def given(self, attribute: Attribute, item: Item) -> Predicate:
        return Constant(self.holds(item)) if attribute.name == self.attribute.name else self


@dataclass(frozen=True)
class Not(Predicate):
    leaf: Leaf

    def holds(self, item: Item) -> bool | None:
        outcome = self.leaf.holds(item)
        return None if outcome is None else not outcome

    def condition(self, expression: Expression) -> str:
        path = expression.name(self.leaf.attribute.name)
        said = f"NOT ({self.leaf.said(path, expression)})"
        missing = self.leaf.attribute.missing
        if missing is not None and not self.leaf.judge(missing):
            return said
        return f"{has_value(path, expression)} AND {said}"

    def negated(self) -> Predicate:
        return self.leaf

    def attributes(self) -> frozenset[Attribute]:
        return self.leaf.attributes()

    def demands(self, name: str) -> bool:
        return self.leaf.demands(name)

    def given(self, attribute: Attribute, item: Item) -> Predicate:
        return Constant(self.holds(item)) if attribute.name == self.leaf.attribute.name else self


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Comparison(Leaf):
    attribute: Attribute
    operator: str
    value: Any

    def judge(self, value: Any) -> bool:
        return OPERATORS[self.operator](value, self.value)

    def said(self, path: str, expression: Expression) -> str:
        if self.attribute.kind.code == "BOOL" and self.operator != "=":
            raise Inexpressible("booleans have no order")
        return f"{path} {self.operator} {expression.value(self.attribute.write(self.value))}"

    def candidates(self, name: str) -> frozenset[Any] | None:
        return frozenset((self.value,)) if self.operator == "=" and name == self.attribute.name else None

    def bounds(self, name: str) -> Bounds:
        if name != self.attribute.name:
            return Bounds()
        return Bounds(
            self.value if self.operator in {"=", ">", ">="} else None,
            self.value if self.operator in {"=", "<", "<="} else None,
        )


@dataclass(frozen=True)
class Membership(Leaf):
    attribute: Attribute
    values: frozenset[Any]

    def judge(self, value: Any) -> bool:
        return value in self.values

    def said(self, path: str, expression: Expression) -> str:
        if len(self.values) > MOST_IN_OPERANDS:
            raise Inexpressible("IN takes 100 operands")
        # The emulator dynalite's IN is never true for an empty text or false, so these stand beside it.
        apart = {value for value in self.values if value == "" or value is False}
        written = {value: expression.value(self.attribute.write(value)) for value in self.values}
        said = [f"{path} = {written[value]}" for value in apart]
        if listed := [alias for value, alias in written.items() if value not in apart]:
            said.append(f"{path} IN ({', '.join(listed)})")
        return " OR ".join(said)

    def candidates(self, name: str) -> frozenset[Any] | None:
        return self.values if name == self.attribute.name else None

    def bounds(self, name: str) -> Bounds:
        return Bounds(min(self.values), max(self.values)) if name == self.attribute.name else Bounds()


@dataclass(frozen=True)
class Part(Leaf):
    """A text that contains, or begins with, another that is not empty."""

    attribute: Attribute
    function: str  # "contains" or "begins_with"
    text: str

    def judge(self, value: Any) -> bool:
        return value.startswith(self.text) if self.function == "begins_with" else self.text in value

    def said(self, path: str, expression: Expression) -> str:
        return f"{self.function}({path}, {expression.value({'S': self.text})})"

    def bounds(self, name: str) -> Bounds:
        if name != self.attribute.name or self.function != "begins_with":
            return Bounds()
        return Bounds(self.text, _after(self.text))


@dataclass(frozen=True)
class Presence(Predicate):
    """IS NULL and IS NOT NULL, neither of which is ever unknown."""

    attribute: Attribute
    is_null: bool

    def holds(self, item: Item) -> bool | None:
        return (self.attribute.read(item) is None) == self.is_null

    def condition(self, expression: Expression) -> str:
        path = expression.name(self.attribute.name)
        return has_no_value(path, expression) if self.is_null else has_value(path, expression)

    def negated(self) -> Predicate:
        return Presence(self.attribute, not self.is_null)

    def attributes(self) -> frozenset[Attribute]:
        return frozenset((self.attribute,))

    def demands(self, name: str) -> bool:
        return not self.is_null and name == self.attribute.name

    def given(self, attribute: Attribute, item: Item) -> Predicate:
        return Constant(self.holds(item)) if attribute.name == self.attribute.name else self


@dataclass(frozen=True, eq=False)
class Computed(Predicate):
    """What only Python can judge."""

    judge: Callable[[Item], bool | None]
    depends_on: frozenset[Attribute]

    def holds(self, item: Item) -> bool | None:
        return self.judge(item)

    def condition(self, expression: Expression) -> str:
        raise Inexpressible("computed")

    def negated(self) -> Predicate:
        def judge(item: Item) -> bool | None:
            outcome = self.judge(item)
            return None if outcome is None else not outcome

        return Computed(judge, self.depends_on)

    def attributes(self) -> frozenset[Attribute]:
        return self.depends_on


def presence(attribute: Attribute, *, is_null: bool) -> Predicate:
    if attribute.missing is not None:
        return Constant(not is_null)
    return Presence(attribute, is_null)


def has_value(path: str, expression: Expression) -> str:
    return f"attribute_exists({path}) AND NOT attribute_type({path}, {expression.value({'S': 'NULL'})})"


def has_no_value(path: str, expression: Expression) -> str:
    return f"attribute_not_exists({path}) OR attribute_type({path}, {expression.value({'S': 'NULL'})})"


def _after(text: str) -> str | None:
    """The least text that is greater than every text that begins with this one; None: there is none."""
    for position in range(len(text) - 1, -1, -1):
        code = ord(text[position]) + 1
        if code == 0xD800:
            code = 0xE000  # no text has the code points between
        if code <= 0x10FFFF:
            return text[:position] + chr(code)
    return None
