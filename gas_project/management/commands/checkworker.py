"""`manage.py checkworker`: the liveness probe of this machine's worker."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tasks.life import DEAF_AFTER_SECONDS, is_deaf, silent_seconds


class Command(BaseCommand):
    help = "Succeeds while this machine's worker asks all its queues for messages; for who would restart it."
    requires_system_checks = ()
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        seconds = silent_seconds()
        if seconds is None:
            self.stdout.write("No worker has begun to work on this machine.")
        elif is_deaf():
            raise CommandError(
                f"The worker has not asked its queues for {seconds:.0f} seconds; {DEAF_AFTER_SECONDS} are "
                "the most. Restart it: its messages go to the next."
            )
        else:
            self.stdout.write(f"The worker asked its queues {seconds:.0f} seconds ago.")
