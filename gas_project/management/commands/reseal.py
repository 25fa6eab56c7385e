"""`manage.py reseal`: second factors under the key that is in use."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from gas_project.accounts.sealing import reseal


class Command(BaseCommand):
    help = "Seals the secrets of all second factors with GAS_SECRET_KEY, after it was changed."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(f"{reseal()} sealed")
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
