"""What can go wrong in the engine, by whose matter it is."""

from collections.abc import Sequence


class UnusableInput(Exception):
    """The upload cannot be annotated.

    The message is for its owner, on one line: what was found, where, what to do. `problems` has every fault
    that was noted, one sentence each, where there are several.
    """

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = list(problems) or [message]


class EngineFailure(Exception):
    """A step failed though the input was accepted: the operator's matter, and a retry may help."""
