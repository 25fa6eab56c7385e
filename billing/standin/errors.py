"""Errors as Stripe's API gives them."""

from typing import Any


class ApiError(Exception):
    """An answer other than 200; `body` is its JSON."""

    def __init__(self, status: int, kind: str, message: str, *, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.status = status
        error = {"type": kind, "message": message, "code": code, "param": param}
        self.body: dict[str, Any] = {"error": {name: value for name, value in error.items() if value}}


def invalid(message: str, *, code: str = "", param: str = "", status: int = 400) -> ApiError:
    return ApiError(status, "invalid_request_error", message, code=code, param=param)


def missing(kind: str, object_id: str, *, param: str = "id", status: int = 404) -> ApiError:
    return invalid(f"No such {kind}: '{object_id}'", code="resource_missing", param=param, status=status)
