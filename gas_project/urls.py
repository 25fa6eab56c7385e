"""Where every page is."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from gas_project import health, views
from gas_project.accounts.views import profile

# The admin's own log-in page would let passwords be guessed without a limit.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("annotations.urls")),
    path("", include("annotations.api.urls")),
    path("", include("billing.urls")),
    path("", include("archival.urls")),
    path("profile/", profile, name="profile"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
