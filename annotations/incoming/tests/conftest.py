"""A server of somebody's, and limits that the test sets."""

from annotations.outbound.tests.test_client import server
from annotations.tests.conftest import limits

__all__ = ["limits", "server"]
