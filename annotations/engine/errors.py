"""What can go wrong in the engine, by whose matter it is."""


class UnusableInput(Exception):  # noqa: N818 - the name says what the fact is
    """The upload cannot be annotated. The message is for its owner: what was found, where, what to do."""


class EngineFailure(Exception):  # noqa: N818 - likewise
    """A step failed though the input was accepted: the operator's matter, and a retry may help."""
