"""The verbs of a result's life after completion: each is one conditional update whose row count says who won.

A task that works on a result has it *in hand*: `archive_task` names the task, and `archive_next_at` is the
end of its lease. Otherwise `archive_next_at` says when the sweep looks at the result next, and is NULL where
there is nothing to look after. Only who still has the result in hand can say how the work ended; everybody
else finds that the verb returns False, and removes what they made.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from annotations.models import Job  # noqa: F401  names the model in the type of the QuerySet

# What the sweep looks at is spread over as many partitions of DynamoDB's index. Never make this smaller: what
# is in the shards left out would not be found again.
SHARDS = range(4)
RETRIEVED = ("THAWING", "RESTORING")


def next_look(at: datetime | None) -> dict[str, Any]:
    """The fields that say when the sweep looks at the result next; None: not any more."""
    shard = None if at is None else random.choice(SHARDS)  # noqa: S311  spreads load, and is no secret
    return {"archive_next_at": at, "archive_shard": shard}


def _lease() -> dict[str, Any]:
    return next_look(timezone.now() + timedelta(seconds=settings.LEASE_SECONDS))


def _soon() -> dict[str, Any]:
    """A message has been, or is just being sent; later than this it must be taken for lost."""
    return next_look(timezone.now() + timedelta(seconds=settings.RESEND_AFTER_SECONDS))


def _free_for(task_id: str) -> Q:
    """In nobody's hand; or in this task's, which runs twice when redelivered or when a reply was lost."""
    return Q(archive_task="") | Q(archive_task=task_id) | Q(archive_next_at__lt=timezone.now())


class ArchiveVerbs(models.QuerySet["Job"]):
    """Verbs return whether this caller won. States are given as text: models imports this module."""

    # --- to the archive ---

    def plan_archive(self, job_id: str, due_at: datetime, *, by_hand: bool = False) -> bool:
        """AVAILABLE, and nothing planned: it is due at that time. By hand, whatever was planned."""
        open_to = Q() if by_hand else Q(archive_due_at__isnull=True)
        return bool(
            self.filter(open_to, pk=job_id, result_state="AVAILABLE", archive_id__isnull=True).update(
                archive_due_at=due_at, archived_by_hand=by_hand, **next_look(due_at)
            )
        )

    def plan_nothing(self, job_id: str) -> bool:
        """AVAILABLE, nothing planned, nothing left to do: the sweep need not look at it."""
        return bool(
            self.filter(
                pk=job_id,
                result_state="AVAILABLE",
                archive_due_at__isnull=True,
                archive_id__isnull=True,
                return_mail_due=False,
            ).update(**next_look(None))
        )

    def keep(self, job_id: str) -> bool:
        """AVAILABLE or ARCHIVING → AVAILABLE, with no archival due: the user's tier keeps results at hand.

        A task that is copying the result meanwhile finds out when it wants to say `archived`. What the user
        has asked to be archived is not kept.
        """
        planned = self.filter(pk=job_id, archive_due_at__isnull=False, archived_by_hand=False)
        return bool(
            planned.filter(
                result_state__in=("AVAILABLE", "ARCHIVING"), archive_id__isnull=True, return_mail_due=False
            ).update(result_state="AVAILABLE", archive_task="", archive_due_at=None, **next_look(None))
            # A result that has just come back: what is still to be done about that stays to be done.
            or planned.filter(result_state="AVAILABLE").update(archive_due_at=None)
        )

    def claim_archiving(self, job_id: str, task_id: str) -> bool:
        """AVAILABLE and due, or ARCHIVING and left behind → ARCHIVING, in this task's hand."""
        due = Q(result_state="AVAILABLE", archive_due_at__lte=timezone.now(), archive_id__isnull=True)
        return bool(
            self.filter(_free_for(task_id), due | Q(result_state="ARCHIVING"), pk=job_id).update(
                result_state="ARCHIVING", archive_task=task_id, **_lease()
            )
        )

    def archived(self, job_id: str, task_id: str, archive_id: str, contents: dict[str, Any]) -> bool:
        """ARCHIVING → ARCHIVED. From here on the archive is the result; the hot copy may go."""
        return bool(
            self.filter(pk=job_id, result_state="ARCHIVING", archive_task=task_id).update(
                result_state="ARCHIVED",
                archive_id=archive_id,
                archive_contents=contents,
                archived_at=timezone.now(),
                return_mail_due=False,
                **_lease(),
            )
        )

    def claim_removal(self, job_id: str, task_id: str) -> bool:
        """ARCHIVED, and the hot copy perhaps not removed: let this task do it."""
        return bool(
            self.filter(
                _free_for(task_id), pk=job_id, result_state="ARCHIVED", archive_next_at__isnull=False
            ).update(archive_task=task_id, **_lease())
        )

    def hot_copy_removed(self, job_id: str, task_id: str) -> bool:
        """ARCHIVED, and nothing more to do."""
        return bool(
            self.filter(pk=job_id, result_state="ARCHIVED", archive_task=task_id).update(
                archive_task="", **next_look(None)
            )
        )

    # --- and back ---

    def ask_retrieval(self, job_id: str) -> bool:
        """ARCHIVED → THAWING: it is to come back. The first of two that ask has the request sent."""
        return bool(
            self.filter(pk=job_id, result_state="ARCHIVED").update(
                result_state="THAWING",
                archive_task="",
                retrieval_option="",
                retrieval_ticket="",
                retrieval_asked_at=timezone.now(),
                retrieval_expected_at=None,
                failure_reason="",
                failure_message="",
                **_soon(),
            )
        )

    def claim_request(self, job_id: str, task_id: str) -> bool:
        """THAWING, and cold storage not asked yet: let this task ask."""
        return bool(
            self.filter(_free_for(task_id), pk=job_id, result_state="THAWING", retrieval_ticket="").update(
                archive_task=task_id, **_lease()
            )
        )

    def attempt(self, job_id: str, task_id: str, option: str) -> bool:
        """Say which retrieval option is going to be asked for, so that whoever follows a crash knows.

        An empty option takes it back: the attempt did not reach cold storage.
        """
        return bool(
            self.filter(pk=job_id, result_state="THAWING", archive_task=task_id, retrieval_ticket="").update(
                retrieval_option=option
            )
        )

    def requested(
        self, job_id: str, task_id: str, ticket: str, expected_at: datetime, next_at: datetime
    ) -> bool:
        """THAWING, and cold storage is at it."""
        return bool(
            self.filter(pk=job_id, result_state="THAWING", archive_task=task_id, retrieval_ticket="").update(
                archive_task="",
                retrieval_ticket=ticket,
                retrieval_expected_at=expected_at,
                **next_look(next_at),
            )
        )

    def still_thawing(self, job_id: str, next_at: datetime) -> bool:
        """Cold storage is not ready; look again at that time."""
        return bool(
            self.filter(pk=job_id, result_state="THAWING", archive_task="").update(**next_look(next_at))
        )

    def ask_again(self, job_id: str, task_id: str, ticket: str) -> bool:
        """THAWING or RESTORING → THAWING, and cold storage not asked: the retrieved copy has expired."""
        return bool(
            self.filter(
                _free_for(task_id), pk=job_id, result_state__in=RETRIEVED, retrieval_ticket=ticket
            ).update(
                result_state="THAWING",
                archive_task="",
                retrieval_option="",
                retrieval_ticket="",
                retrieval_expected_at=None,
                **_soon(),
            )
        )

    def give_up_retrieval(self, job_id: str, task_id: str, reason: str, message: str) -> bool:
        """THAWING or RESTORING → ARCHIVED, with a reason for counting and a message for the user."""
        return bool(
            self.filter(_free_for(task_id), pk=job_id, result_state__in=RETRIEVED).update(
                result_state="ARCHIVED",
                archive_task="",
                failure_reason=reason,
                failure_message=message,
                **next_look(None),
            )
        )

    def claim_restore(self, job_id: str, task_id: str) -> bool:
        """THAWING and asked for, or RESTORING and left behind → RESTORING, in this task's hand."""
        asked = Q(result_state="THAWING") & ~Q(retrieval_ticket="")
        return bool(
            self.filter(_free_for(task_id), asked | Q(result_state="RESTORING"), pk=job_id).update(
                result_state="RESTORING", archive_task=task_id, **_lease()
            )
        )

    def restored(
        self, job_id: str, task_id: str, keys: dict[str, str], archive_due_at: datetime | None
    ) -> bool:
        """RESTORING → AVAILABLE. From here on the hot copy is the result; the archive may go.

        `keys`: the new values of result_key, index_key and table_key.
        """
        return bool(
            self.filter(pk=job_id, result_state="RESTORING", archive_task=task_id).update(
                result_state="AVAILABLE",
                archive_due_at=archive_due_at,
                archived_at=None,
                archived_by_hand=False,
                returned_at=timezone.now(),
                return_mail_due=True,
                **_lease(),
                **keys,
            )
        )

    def archive_deleted(self, job_id: str, archive_id: str) -> bool:
        """AVAILABLE, and the archive is gone; its user is to be told."""
        return bool(
            self.filter(pk=job_id, result_state="AVAILABLE", archive_id=archive_id).update(
                archive_id=None, archive_contents={}, archive_task="", **_soon()
            )
        )

    def claim_return_mail(self, job_id: str, task_id: str) -> bool:
        """Back, and its user does not know: let this task tell."""
        return bool(
            self.filter(
                _free_for(task_id),
                pk=job_id,
                result_state="AVAILABLE",
                archive_id__isnull=True,
                return_mail_due=True,
            ).update(archive_task=task_id, **_lease())
        )

    def told_of_return(self, job_id: str, task_id: str, archive_due_at: datetime | None) -> bool:
        """The mail is out. The sweep looks at the result again when its next archival is due, if one is."""
        told = self.filter(pk=job_id, result_state="AVAILABLE", archive_task=task_id)
        return bool(
            told.filter(archive_due_at=archive_due_at).update(
                return_mail_due=False, archive_task="", **next_look(archive_due_at)
            )
            or told.update(return_mail_due=False, archive_task="", **_soon())  # planned anew meanwhile
        )

    # --- whatever it is ---

    def extend_result_lease(self, job_id: str, task_id: str) -> bool:
        """Say that the process lives that has the result in hand."""
        until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
        return bool(
            self.filter(pk=job_id, archive_task=task_id, archive_next_at__isnull=False).update(
                archive_next_at=until
            )
        )

    def put_off(self, job_id: str, task_id: str, *, wait_seconds: float) -> bool:
        """In this task's hand no more; the sweep looks after it in `wait_seconds`."""
        return bool(
            self.filter(pk=job_id, archive_task=task_id, archive_next_at__isnull=False).update(
                archive_task="", **next_look(timezone.now() + timedelta(seconds=wait_seconds))
            )
        )

    def take_up(self, job_id: str, next_at: datetime | None) -> bool:
        """Whether this caller may send a message for what was to be looked at then: the first of two sweeps.

        It is also taken from the hand of a task that has let its lease run out.
        """
        return bool(self.filter(pk=job_id, archive_next_at=next_at).update(archive_task="", **_soon()))

    def take_back(self, job_id: str, archive_id: str | None) -> bool:
        """ARCHIVED → AVAILABLE: the archive is gone, and the hot copy was found to be whole."""
        return bool(
            self.filter(pk=job_id, result_state="ARCHIVED", archive_id=archive_id).update(
                result_state="AVAILABLE",
                archive_id=None,
                archive_contents={},
                archive_due_at=None,
                archived_at=None,
                archived_by_hand=False,
                failure_reason="",
                failure_message="",
                **_soon(),
            )
        )

    def adopt_archive(self, job_id: str, lost_id: str | None, archive_id: str) -> bool:
        """→ ARCHIVED, in an archive that was found, when what the record names is gone."""
        return bool(
            self.filter(
                pk=job_id, result_state__in=("AVAILABLE", "ARCHIVED"), archive_task="", archive_id=lost_id
            ).update(
                result_state="ARCHIVED",
                archive_id=archive_id,
                archive_contents={},
                archived_at=timezone.now(),
                failure_reason="",
                failure_message="",
                **next_look(None),
            )
        )

    def archived_of(self, user: Any) -> ArchiveVerbs:
        """A user's jobs that have an archive."""
        return self.filter(user=user, archive_id__isnull=False)

    def on_the_way(self, now: datetime, within: timedelta) -> ArchiveVerbs:
        """Results that something is to be done about by then: due, or on their way in or out."""
        return self.filter(archive_shard__in=SHARDS, archive_next_at__lte=now + within)

    def to_look_at(self, now: datetime) -> ArchiveVerbs:
        """Results that something is to be done about by now, the longest overdue first."""
        return self.on_the_way(now, timedelta()).order_by("archive_next_at")
