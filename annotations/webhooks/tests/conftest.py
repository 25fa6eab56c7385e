"""A server of a user's."""

from annotations.outbound.tests.test_client import server

__all__ = ["server"]
