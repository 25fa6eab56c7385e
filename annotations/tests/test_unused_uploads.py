"""An upload that nobody submits does not stay for ever."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from annotations import uploads
from annotations.models import new_job_id
from annotations.tests.factories import make_job
from annotations.tests.fakes import MemoryStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    memory = MemoryStore()
    monkeypatch.setattr(uploads, "object_store", lambda: memory)
    return memory


def put(store: MemoryStore, key: str, hours_ago: float) -> str:
    store.objects[key] = b"vcf"
    store.written_at[key] = datetime.now(UTC) - timedelta(hours=hours_ago)
    return key


def test_an_old_upload_that_became_no_job_is_removed_and_nothing_else(user: Any, store: MemoryStore) -> None:
    old = put(store, f"{user.pk}/{new_job_id()}~a.vcf", 3)
    new = put(store, f"{user.pk}/{new_job_id()}~b.vcf", 1)
    job = make_job(user)
    submitted = put(store, job.input_key, 99)
    result = put(store, f"{user.pk}/{job.job_id}/0a/patient.annot.vcf.gz", 99)
    assert uploads.remove_unused() == 1
    assert old not in store.objects
    assert set(store.objects) == {new, submitted, result}
    assert uploads.remove_unused() == 0
