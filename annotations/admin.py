"""Jobs in the admin: to look at. Only the verbs of a job change its state.

Every page takes a number of requests that does not grow with the number of jobs, on DynamoDB too: lists go by
index, and what would take all jobs, as their count or a search in their files' names, stops at the newest.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from annotations.models import Job, Status

MOST_COUNTED = 1000
MOST_SEARCHED = 3000
MOST_FOUND = 100


class CappedPaginator(Paginator):
    """Counts no further than the list can be leafed through; what is older is found by filters and search."""

    @cached_property
    def count(self) -> int:
        return self.object_list[:MOST_COUNTED].count()  # type: ignore[attr-defined]


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    # The user by a method and a prefetch: a foreign key would be joined, and accounts may live elsewhere.
    list_display = ("input_file_name", "owner", "status", "stage", "submitted_at", "completed_at")
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
    paginator = CappedPaginator

    @admin.display(description="user")
    def owner(self, job: Job) -> str:
        return str(job.user)

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

    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> list[str]:
        return [field.name for field in self.opts.concrete_fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False


def _named_like(queryset: QuerySet[Job], term: str) -> list[Any]:
    newest = queryset.order_by("-submitted_at").values_list("pk", "input_file_name")[:MOST_SEARCHED]
    return [pk for pk, name in newest if term.casefold() in name.casefold()][:MOST_FOUND]
