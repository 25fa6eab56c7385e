"""Jobs in the admin: to look at, to put right, and to act on; all by the verbs of a job, never by `save()`.

Every page takes a number of requests that does not grow with the number of jobs, on DynamoDB too: lists go by
index, and what would take all jobs, as their count or a search in their files' names, stops at the newest.

Whatever is done here stands in the job's history, and so does each download of another person's data.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from annotations import references
from annotations.again import try_again
from annotations.divided import Divided
from annotations.job_queries import RUN_TO_COME
from annotations.models import Job, Status
from annotations.removing import delete_job
from annotations.results.files import ResultFile, files_of
from annotations.storage import StorageError, object_store
from annotations.uploads import safe_file_name

DOWNLOAD_LINK_SECONDS = 300
INPUT = "input"
MOST_COUNTED = 1000
MOST_SEARCHED = 3000
MOST_FOUND = 100


class Overtaken(Exception):
    """The job has gone on while the form was open, so that the change has no meaning any more."""


class JobForm(forms.ModelForm):
    """What may be put right by hand: how the file is called, and what the next run does."""

    NEXT_RUN = ("reference", "haplotype_aware")

    class Meta:
        model = Job
        fields = ("input_file_name", "reference", "haplotype_aware")

    def clean_reference(self) -> str:
        label = str(self.cleaned_data["reference"])
        if label != self.instance.reference and references.find(label) is None:
            known = ", ".join(map(references.label, references.available())) or "none"
            raise forms.ValidationError(f"There is no reference {label} here. There are: {known}.")
        return label

    def clean_input_file_name(self) -> str:
        return safe_file_name(self.cleaned_data["input_file_name"])


class CappedPaginator(Paginator):
    """Counts no further than the list can be leafed through; what is older is found by filters and search."""

    @cached_property
    def count(self) -> int:
        return self.object_list[:MOST_COUNTED].count()  # type: ignore[attr-defined]


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    form = JobForm
    # The user by a method and a prefetch: a foreign key would be joined, and accounts may live elsewhere.
    list_display = (
        "input_file_name",
        "owner",
        "status",
        "stage",
        "attempts",
        "failure_reason",
        "submitted_at",
        "completed_at",
    )
    list_filter = ("status", "result_state", "submitted_at")
    sortable_by = ("submitted_at",)
    search_fields = ("=job_id",)
    search_help_text = (
        "A job's number, its user's e-mail address, or a part of its file's name "
        f"(looked for in the newest {MOST_SEARCHED} jobs)."
    )
    ordering = ("-submitted_at", "-job_id")
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # they count all jobs, once for each entry of each filter
    actions: tuple[str, ...] = ("retry", "cancel")
    paginator = CappedPaginator
    view_on_site = False  # a job's own page is its user's alone

    @admin.display(description="user")
    def owner(self, job: Job) -> str:
        return str(job.user)

    @admin.display(description="what happened when")
    def timeline(self, job: Job) -> SafeString:
        events = {
            "submitted": job.submitted_at,
            "last sent to a worker": job.queued_at,
            "lease of its worker ends": job.lease_expires_at,
            "over": job.completed_at,
            "user told": job.notified_at,
            "archive due": job.archive_due_at,
            "archived": job.archived_at,
            "asked back from the archive": job.retrieval_asked_at,
            "expected back": job.retrieval_expected_at,
            "back from the archive": job.returned_at,
        }
        happened = sorted((at, name) for name, at in events.items() if at)
        return format_html_join(
            "", "<div>{}: {}</div>", ((date_format(at, "c"), name) for at, name in happened)
        )

    @admin.display(description="parts, while a divided job runs")
    def shards(self, job: Job) -> SafeString:
        divided = Divided.of(job)
        return format_html_join(
            "",
            "<div>{}: {}, {} variants done, {} attempts, last sent {}</div>",
            (
                (
                    shard.number,
                    shard.get_status_display(),
                    shard.variants_done,
                    shard.attempts,
                    date_format(shard.queued_at, "c"),
                )
                for shard in (sorted(divided.shards, key=lambda shard: shard.number) if divided else ())
            ),
        )

    @admin.display(description="files")
    def files(self, job: Job) -> SafeString:
        return format_html_join(
            "",
            '<div><a href="{}">{}</a></div>',
            (
                (reverse("admin:annotations_job_file", args=[job.job_id, file.kind]), file.label)
                for file in _files_with_input(job)
            ),
        )

    @admin.action(description="Try again", permissions=["change"])
    def retry(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self.act_on_each(request, jobs, try_again, "Tried again.", "were not failed")

    @admin.action(description="Cancel", permissions=["change"])
    def cancel(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        def stop(job: Job) -> bool:
            return Job.objects.cancel(job.job_id, job.user)

        self.act_on_each(request, jobs, stop, "Cancelled.", "were over already")

    def act_on_each(
        self, request: HttpRequest, jobs: QuerySet[Job], act: Callable[[Job], bool], done: str, else_: str
    ) -> None:
        """Write in the history of each job on which `act` did something, and count the others."""
        changed, skipped = 0, 0
        for job in jobs:
            if act(job):
                self.log_change(request, job, done)
                changed += 1
            else:
                skipped += 1
        self.message_user(request, f"{done} Jobs: {changed}.", messages.SUCCESS)
        if skipped:
            self.message_user(request, f"{skipped} {else_}.", messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: Job) -> None:
        self._delete(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._delete(request, list(queryset))

    def _delete(self, request: HttpRequest, jobs: list[Job]) -> None:
        for job in jobs:
            try:
                delete_job(job)
            except StorageError as error:
                text = f"{job} stays, because its files could not be deleted: {error}"
                self.message_user(request, text, messages.ERROR)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self._download)
        return [
            path("<uuid:job_id>/files/<slug:kind>/", view, name="annotations_job_file"),
            *super().get_urls(),
        ]

    def _download(self, request: HttpRequest, job_id: Any, kind: str) -> HttpResponse:
        job = self.get_object(request, str(job_id))
        file = next((file for file in _files_with_input(job) if file.kind == kind), None) if job else None
        if job is None or file is None or not self.has_view_permission(request, job):
            raise Http404
        self.log_change(request, job, f"Downloaded {file.name}.")
        url = object_store().download_url(
            file.key, file_name=file.name, expires_seconds=DOWNLOAD_LINK_SECONDS
        )
        return redirect(url)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        # By naming every status the list can go by the index of statuses, one query each, merged.
        return super().get_queryset(request).filter(status__in=Status.values).prefetch_related("user")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        """By number and by e-mail address; by file name only where these find nothing."""
        term = search_term.strip()
        if not term:
            return queryset, False
        # The accounts are asked on their own, for the same reason: no join.
        if owner := get_user_model().objects.filter(email__iexact=term).first():
            return queryset.filter(user=owner), False
        by_number = queryset.filter(pk=term)
        if by_number.exists():
            return by_number, False
        return queryset.filter(pk__in=_named_like(queryset, term)), False

    def get_fields(self, request: HttpRequest, obj: Job | None = None) -> list[Any]:
        return ["timeline", "files", "shards", *(field.name for field in self.opts.concrete_fields)]

    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> list[str]:
        fixed = set() if obj and obj.status in RUN_TO_COME else set(JobForm.NEXT_RUN)
        shown = (field.name for field in self.opts.concrete_fields)
        writable = set(JobForm.Meta.fields) - fixed
        return [*(name for name in shown if name not in writable), "timeline", "files", "shards"]

    def save_model(self, request: HttpRequest, obj: Job, form: Any, change: bool) -> None:
        """Only what was changed is written, and on the condition that it still means something."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes and not Job.objects.put_right(obj.job_id, **changes):
            raise Overtaken

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **options: Any
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, *args, **options)
        except Overtaken:
            text = "Nothing was changed: the job is in a worker's hands, over, or gone by now."
            self.message_user(request, text, messages.ERROR)
            return redirect(request.path)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


def _files_with_input(job: Job) -> list[ResultFile]:
    return [ResultFile(INPUT, "Input", "as it was uploaded", job.input_key, job.input_bytes), *files_of(job)]


def _named_like(queryset: QuerySet[Job], term: str) -> list[Any]:
    newest = queryset.order_by("-submitted_at").values_list("pk", "input_file_name")[:MOST_SEARCHED]
    return [pk for pk, name in newest if term.casefold() in name.casefold()][:MOST_FOUND]
