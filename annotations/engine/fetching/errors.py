"""What can go wrong while fetching, by whether trying again helps."""


class FetchError(Exception):
    """A reference cannot be fetched. Says what was expected, what was found, and what to do."""


class UnexpectedStatus(FetchError):
    """The server answered with a status that is neither the file nor a passing fault."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TransientFault(Exception):
    """The network or the server failed in a way that passes. `after_seconds`: the server's Retry-After."""

    def __init__(self, message: str, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class RangeNotSatisfiable(TransientFault):
    """The file ends before the byte that was asked for: it is not the file of which a part has come."""
