"""A user who is deleted takes the jobs along, in whatever database these are."""

from typing import Any

from django.conf import settings
from django.db import router, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from annotations.models import Job


@receiver(post_delete, sender=settings.AUTH_USER_MODEL)
def delete_jobs_elsewhere(instance: Any, using: str, **_: Any) -> None:
    """In the same database they are gone already; in another, only after the account is gone for good."""
    if router.db_for_write(Job) != using:
        user_id = instance.pk
        transaction.on_commit(lambda: Job.objects.filter(user_id=user_id).delete(), using=using)
