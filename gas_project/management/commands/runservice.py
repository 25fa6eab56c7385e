"""`manage.py runservice`: the whole service on this machine, until Ctrl-C."""

import shutil
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotations.scratch import remove_abandoned
from gas_project.onemachine import programs
from gas_project.onemachine.first_start import Account, prepare
from gas_project.onemachine.guards import Refusal, only_one, require_free_port
from gas_project.onemachine.supervisor import Supervisor, SupervisorError


class Command(BaseCommand):
    help = "Run web, worker, beat, Flower, broker and a stand-in for Stripe here; Ctrl-C stops them."
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        environment = settings.ENVIRONMENT
        try:
            with only_one(settings.STATE_DIR):
                require_free_port(programs.HOST, environment.port, "GAS_PORT")
                if environment.flower:
                    require_free_port(programs.HOST, environment.flower_port, "GAS_FLOWER_PORT")
                if settings.BROKER_IS_EMBEDDED:
                    require_free_port(programs.HOST, environment.broker_port, "GAS_BROKER_PORT")
                if programs.pays_at_standin():
                    require_free_port(
                        programs.HOST, environment.stripe_standin_port, "GAS_STRIPE_STANDIN_PORT"
                    )
                self._run()
        except (Refusal, SupervisorError) as error:
            raise CommandError(str(error)) from None

    def _run(self) -> None:
        self._say("service", f"starting; everything is kept in {settings.STATE_DIR}")
        new_accounts = prepare()
        remove_abandoned()
        _count_from_nothing()
        Supervisor(programs.program_groups(), self._say).run(lambda: self._greet(new_accounts))
        self._say("service", "stopped")

    def _greet(self, new_accounts: list[Account]) -> None:
        for account in new_accounts:
            self._say(
                "service", f"{account.role}: {account.email}  password: {account.password}  (shown this once)"
            )
        if programs.pays_at_standin():
            self._say(
                "service",
                f"premium takes card 4242 4242 4242 4242; {settings.STRIPE_STANDIN_URL} moves its time",
            )
        self._say("service", f"ready: open {settings.SITE_URL} in a browser; Ctrl-C stops the service")

    def _say(self, name: str, line: str) -> None:
        if line.startswith("worker: "):
            return  # Celery's words about signals are for somebody who started the worker by hand
        self.stdout.write(f"{timezone.now():%H:%M:%S} {name:<7} | {line}")
        self.stdout.flush()


def _count_from_nothing() -> None:
    """The processes' counters are files; those of the service's last run would be counted again."""
    shutil.rmtree(settings.METRICS_DIR, ignore_errors=True)
    settings.METRICS_DIR.mkdir(parents=True)
