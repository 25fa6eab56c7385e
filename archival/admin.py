"""What can be done in the admin about a job's archive, beside what can be done about the job."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from annotations.admin import JobAdmin
from annotations.models import Job
from archival import archiving, thawing

admin.site.unregister(Job)


@admin.register(Job)
class JobWithArchiveAdmin(JobAdmin):
    actions = (*JobAdmin.actions, "archive_now", "restore_now")

    @admin.action(description="Archive now", permissions=["change"])
    def archive_now(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        """Whatever the tier of the job's user keeps; it comes back when somebody asks for it."""
        self.act_on_each(
            request,
            jobs,
            lambda job: archiving.by_hand(job.job_id),
            "Sent to the archive.",
            "have no result at hand",
        )

    @admin.action(description="Restore now", permissions=["change"])
    def restore_now(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self.act_on_each(
            request,
            jobs,
            lambda job: thawing.bring_back(job.job_id),
            "Asked back from the archive.",
            "are not archived, or on their way back already",
        )
