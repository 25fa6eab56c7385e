"""What can go wrong while fetching, by whether trying again helps."""


class FetchError(Exception):
    """A reference cannot be fetched. Says what was expected, what was found, and what to do."""


class TransientFault(Exception):
    """The network or the server failed in a way that passes. `after_seconds`: the server's Retry-After."""

    def __init__(self, message: str, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class RangeNotSatisfiable(TransientFault):
    """The file ends before the byte that was asked for: it is not the file of which a part has come."""
