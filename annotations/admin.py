"""Jobs in the admin: to look at. Only the verbs of a job change its state."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest

from annotations.models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    # The user by a method and a prefetch: a foreign key would be joined, and accounts may live elsewhere.
    list_display = ("input_file_name", "owner", "status", "stage", "submitted_at", "completed_at")
    list_filter = ("status", "result_state", "submitted_at")
    search_fields = ("=job_id", "input_file_name")
    search_help_text = "A job's number, a part of its file's name, or its user's e-mail address."
    ordering = ("-submitted_at",)
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description="user")
    def owner(self, job: Job) -> str:
        return str(job.user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).prefetch_related("user")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        found, has_duplicates = super().get_search_results(request, queryset, search_term)
        # The accounts are asked on their own, for the same reason: no join.
        if owner := get_user_model().objects.filter(email__iexact=search_term).first():
            found |= queryset.filter(user=owner)
        return found, has_duplicates

    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> list[str]:
        return [field.name for field in self.opts.concrete_fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False
