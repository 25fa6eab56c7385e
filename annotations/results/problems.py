"""What is wrong with a filter, for whoever wrote it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FilterProblem:
    """One parameter that can't be used: its name, what it should have been, and what was there."""

    parameter: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.parameter}: expected {self.expected}; found {self.found}."


class FilterRefused(Exception):
    """The filter can't be applied. `problems` has all that is wrong with it, not only the first thing."""

    def __init__(self, problems: Sequence[FilterProblem]) -> None:
        super().__init__(" ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
