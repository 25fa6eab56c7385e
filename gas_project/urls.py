"""Where every page is."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("accounts/", include("allauth.urls")),
    path("jobs/", include("annotations.urls")),
    path("admin/", admin.site.urls),
]
