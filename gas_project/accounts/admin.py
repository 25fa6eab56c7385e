"""People in the admin."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.admin import CustomerInline
from gas_project.accounts.models import User

admin.site.site_title = admin.site.site_header = "Genomics Annotation Service"
admin.site.index_title = "Administration"


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
    list_display = ("email", "name", "institution", "tier", "is_staff", "is_active", "joined_at")
    list_filter = ("customer__tier", "is_staff", "is_active")
    search_fields = ("email", "name", "institution")
    ordering = ("email",)
    readonly_fields = ("joined_at", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "institution")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("joined_at", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    @admin.display(description="tier")
    def tier(self, user: User) -> str:
        return user.customer.get_tier_display() if hasattr(user, "customer") else "Free"

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).select_related("customer")
