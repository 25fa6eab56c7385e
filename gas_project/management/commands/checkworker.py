"""`manage.py checkworker`: the liveness probe of this machine's workers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks.life import DEAF_AFTER_SECONDS, deaf_workers, silent_seconds


class Command(BaseCommand):
    help = (
        "Succeeds while this machine's workers ask all their queues for messages; for who would restart them."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="*", help="only these, named as before the @; otherwise all")

    def handle(self, *args: Any, **options: Any) -> None:
        names = set(options["name"])
        silent = {name: for_ for name, for_ in silent_seconds().items() if not names or name in names}
        if deaf := [name for name in deaf_workers() if name in silent]:
            raise CommandError(
                f"{', '.join(deaf)}: has not asked its queues for {DEAF_AFTER_SECONDS} seconds or more. "
                "Restart it: its messages go to the next."
            )
        for name, seconds in sorted(silent.items()):
            self.stdout.write(f"{name} asked its queues {seconds:.0f} seconds ago.")
        if not silent:
            self.stdout.write("No worker asks for work on this machine: none was started, or it is stopping.")
