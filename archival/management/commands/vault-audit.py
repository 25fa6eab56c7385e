"""`manage.py vault-audit`: do the records agree with what hot and cold storage hold?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotations.storage import StorageError
from archival.audit import Audit, Kind, audit
from archival.storage import ColdStorageError, InventoryNotReady


class Command(BaseCommand):
    help = "Compare the records of jobs with hot and cold storage; name orphans and losses."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fix", action="store_true", help="mend what can be mended")

    def handle(self, *args: Any, fix: bool, **options: Any) -> None:
        try:
            found = audit(fix=fix)
        except (InventoryNotReady, StorageError, ColdStorageError) as error:
            raise CommandError(str(error)) from None
        for finding in found.findings:
            self.stdout.write(f"{finding.kind.value}: job {finding.job_id}: {finding.what}")
            self.stdout.write(f"    {'done' if fix else 'remedy'}: {finding.remedy}")
        self.stdout.write(_sum(found))
        if any(finding.kind is Kind.LOST for finding in found.findings):
            raise CommandError("Results are lost.", returncode=2)
        if found.findings and not fix:
            raise CommandError("Run it with --fix to mend what can be mended.", returncode=1)


def _sum(found: Audit) -> str:
    verdict = f"{len(found.findings)} findings" if found.findings else "clean"
    return f"{found.jobs} jobs, {found.under_way} of them under way and left alone: {verdict}"
