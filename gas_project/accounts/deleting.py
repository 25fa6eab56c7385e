"""Remove an account with all that belongs to it."""

import structlog

from annotations.removing import delete_all_of
from billing import leaving
from gas_project.accounts.models import User

log = structlog.get_logger(__name__)


def delete_account(user: User) -> None:
    """The account stays until nothing is charged to it any more, and every file of its jobs is gone.

    From the beginning nobody can log in to it, so that nothing new comes while the old goes. Archives go with
    their jobs.

    Raises StorageError and StillCharged; then it can be asked for again.
    """
    User.objects.filter(pk=user.pk).update(is_active=False)
    try:
        leaving.forget(user)
        delete_all_of(user)
    except BaseException:
        User.objects.filter(pk=user.pk).update(is_active=True)
        raise
    user_id = user.pk
    user.delete()
    log.info("account_deleted", user_id=str(user_id))
