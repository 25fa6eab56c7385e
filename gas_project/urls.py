"""Where every page is."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

from gas_project import health

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("accounts/", include("allauth.urls")),
    path("jobs/", include("annotations.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
