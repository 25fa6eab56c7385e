"""What can go wrong in the engine, by whose matter it is."""

from collections.abc import Sequence

from annotations.engine.check.report import Finding


class UnusableInput(Exception):
    """The upload cannot be annotated.

    The message is for its owner, on one line: what was found, where, what to do. `findings` has each kind of
    fault that was noted, for programs.
    """

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = list(findings)

    @property
    def problems(self) -> list[str]:
        """Each kind of fault, for people."""
        return [str(finding) for finding in self.findings] if len(self.findings) > 1 else [str(self)]


class EngineFailure(Exception):
    """A step failed though the input was accepted: the operator's matter, and a retry may help."""
