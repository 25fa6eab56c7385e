"""`manage.py requeue`: dead letters back to their queue."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks.deadletters import looked_at, requeue
from tasks.queues import QUEUE_NAMES
from tasks.sqs import Broker


class Command(BaseCommand):
    help = "Sends the messages that were delivered in vain once more; jobs that failed over them wait again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "queues", nargs="*", metavar="QUEUE", help=f"Of: {', '.join(QUEUE_NAMES)}. Default: all."
        )
        parser.add_argument("--list", action="store_true", help="Only show them.")

    def handle(self, *args: Any, **options: Any) -> None:
        queues = options["queues"] or QUEUE_NAMES
        if unknown := sorted(set(queues) - set(QUEUE_NAMES)):
            raise CommandError(f"There is no queue {unknown[0]}; there are {', '.join(QUEUE_NAMES)}.")
        try:
            broker = Broker()
            for queue in queues:
                if options["list"]:
                    for letter in looked_at(broker, queue):
                        self.stdout.write(
                            f"{queue}: {letter.task or 'no task'} {' '.join(map(str, letter.args))}"
                        )
                else:
                    self.stdout.write(f"{queue}: {requeue(broker, queue)} sent again")
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"The broker can't be reached, or refuses: {error}") from error
