"""People in the admin, and what they have done there."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from annotations.models import Job
from annotations.storage import StorageError
from billing.admin import CustomerInline
from billing.leaving import StillCharged
from gas_project.accounts.deleting import delete_account
from gas_project.accounts.models import User

admin.site.site_title = admin.site.site_header = "Genomics Annotation Service"
admin.site.index_title = "Administration"


# Addresses are shown on their user's page: a second group of accounts only puzzles. Providers come from the
# settings alone, and their tokens are not kept.
admin.site.unregister([EmailAddress, SocialApp, SocialToken, SocialAccount, Authenticator])


@admin.register(Authenticator)
class AuthenticatorAdmin(admin.ModelAdmin):
    """Second factors: to take one away from somebody who has lost it. Its secret is shown to nobody."""

    fields = list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__email",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Authenticator | None = None) -> bool:
        return False


@admin.register(SocialAccount)
class AccountElsewhereAdmin(admin.ModelAdmin):
    """Which account elsewhere opens which account here."""

    fields = list_display = ("user", "provider", "uid", "date_joined", "last_login")
    list_filter = ("provider",)
    search_fields = ("user__email", "uid")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SocialAccount | None = None) -> bool:
        return False


class NewUserForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email",)


class UserForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    form = UserForm
    add_form = NewUserForm
    inlines = (CustomerInline,)
    actions = ("take_as_verified",)
    list_display = ("email", "name", "institution", "tier", "is_staff", "is_active", "joined_at")
    list_filter = ("customer__tier", "is_staff", "is_active")
    search_fields = ("email", "name", "institution")
    ordering = ("email",)
    readonly_fields = ("joined_at", "last_login", "usage", "addresses")
    fieldsets = (
        (None, {"fields": ("email", "addresses", "password", "name", "institution")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("joined_at", "last_login")}),
        ("Usage", {"fields": ("usage",)}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    @admin.display(description="tier")
    def tier(self, user: User) -> str:
        return user.customer.get_tier_display() if hasattr(user, "customer") else "Free"

    @admin.display(description="e-mail addresses")
    def addresses(self, user: User) -> SafeString:
        return format_html_join(
            "",
            "<div>{}{}{}</div>",
            (
                (
                    address.email,
                    ", primary" if address.primary else "",
                    ", verified" if address.verified else ", not verified",
                )
                for address in EmailAddress.objects.filter(user=user).order_by("-primary", "email")
            ),
        )

    @admin.action(description="Take the e-mail address as verified", permissions=["change"])
    def take_as_verified(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """For who can't receive our mail, and is known to be who they say."""
        for user in users:
            if EmailAddress.objects.filter(user=user, primary=True, verified=False).update(verified=True):
                self.log_change(request, user, "Took the e-mail address as verified.")
                self.message_user(request, f"{user}: verified.", messages.SUCCESS)
            else:
                self.message_user(request, f"{user} has no unverified primary address.", messages.WARNING)

    @admin.display(description="jobs and data")
    def usage(self, user: User) -> str:
        sizes = list(Job.objects.of(user).values_list("input_bytes", "result_bytes"))
        sent, made = sum(sent for sent, _ in sizes), sum(made or 0 for _, made in sizes)
        return f"{len(sizes)} jobs, {filesizeformat(sent)} uploaded, {filesizeformat(made)} of results"

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        self._delete(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._delete(request, list(queryset))

    def _delete(self, request: HttpRequest, users: list[User]) -> None:
        for user in users:
            try:
                delete_account(user)
            except (StorageError, StillCharged) as error:
                text = f"{user} stays, because not all that is theirs could be removed: {error}"
                self.message_user(request, text, messages.ERROR)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).select_related("customer")


@admin.register(LogEntry)
class AuditLog(admin.ModelAdmin):
    """What was done in the admin, by whom and when; nobody can change it there."""

    list_display = ("action_time", "user", "content_type", "object_repr", "what")
    list_filter = ("action_time", "action_flag", "content_type")
    list_select_related = ("user", "content_type")
    search_fields = ("user__email", "=object_id", "object_repr", "change_message")
    ordering = ("-action_time",)
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description="what")
    def what(self, entry: LogEntry) -> str:
        return str(entry.get_change_message() or entry.get_action_flag_display())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return False
