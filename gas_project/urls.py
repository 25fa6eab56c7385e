"""Where every page is."""

from django.contrib import admin
from django.urls import include, path

from gas_project import health, views
from gas_project.accounts.views import profile

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("annotations.urls")),
    path("profile/", profile, name="profile"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
