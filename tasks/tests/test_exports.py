"""The task of a large export."""

from typing import Any

import pytest
from celery.exceptions import Retry

from annotations.results.exports import background
from annotations.storage import StorageError
from tasks.exports import export


def test_an_export_that_the_store_cannot_take_now_is_tried_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(job_id: str, export_id: str) -> None:
        raise StorageError("the store is away")

    retried: list[dict[str, Any]] = []

    def retry(**options: Any) -> Retry:
        retried.append(options)
        return Retry()

    monkeypatch.setattr(background, "run", away)
    monkeypatch.setattr(export, "retry", retry)
    with pytest.raises(Retry):
        export("job", "export")
    assert retried[0]["countdown"] == 0 and retried[0]["delay_seconds"] > 0
