"""Says of each of Django's tests whether it passed, asked for what isn't supported, or failed."""

from __future__ import annotations

import json
import os
import unittest
from pathlib import Path
from types import TracebackType
from typing import Any

from django.db import NotSupportedError
from django.db.models.signals import post_migrate
from django.test.runner import DiscoverRunner

ErrorInfo = tuple[type[BaseException], BaseException, TracebackType]


class Result(unittest.TextTestResult):
    """A test with subtests has failed if one of them has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outcomes: dict[str, str] = {}
        self.reasons: dict[str, str] = {}

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.outcomes.setdefault(test.id(), "pass")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, "skip", reason)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._fault(test, err)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._fault(test, err)

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self._note(test, "pass", "")

    def addSubTest(self, test: unittest.TestCase, subtest: Any, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._fault(test, err)

    def getDescription(self, test: Any) -> str:
        # Of a subtest without its parameters: the SQL of a query can't be printed.
        return str(getattr(test, "test_case", test).id())

    def _fault(self, test: unittest.TestCase, err: Any) -> None:
        error: BaseException | None = err[1]
        while error is not None:
            if isinstance(error, NotSupportedError):
                return self._note(test, "not supported", str(error))
            error = error.__cause__ or error.__context__
        self._note(test, "fail", f"{err[0].__name__}: {err[1]}")
        return None

    def _note(self, test: unittest.TestCase, outcome: str, reason: str) -> None:
        if self.outcomes.get(test.id()) != "fail":
            self.outcomes[test.id()], self.reasons[test.id()] = outcome, reason


class Runner(DiscoverRunner):
    def get_resultclass(self) -> type[Result]:
        return Result

    def setup_databases(self, **kwargs: Any) -> Any:
        # It joins tables, and none of these tests asks for permissions by name.
        post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
        return super().setup_databases(**kwargs)

    def suite_result(self, suite: Any, result: Any, **kwargs: Any) -> int:
        outcome = {"outcomes": result.outcomes, "reasons": result.reasons}
        Path(os.environ["DJANGO_SUITE_OUTCOME"]).write_text(json.dumps(outcome))
        return 0
