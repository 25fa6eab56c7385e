"""Where every page is."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from gas_project import health, views
from gas_project.accounts.views import delete_own_account, log_in_elsewhere, profile, take_out
from gas_project.flower import flower
from gas_project.metrics import metrics
from gas_project.operations import queues

# The admin's own log-in page would let passwords be guessed without a limit.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("annotations.urls")),
    path("", include("annotations.incoming.urls")),
    path("", include("annotations.api.urls")),
    path("", include("annotations.webhooks.urls")),
    path("", include("billing.urls")),
    path("", include("archival.urls")),
    path("profile/", profile, name="profile"),
    path("profile/data/", take_out, name="take_out"),
    path("profile/delete/", delete_own_account, name="delete_account"),
    path("accounts/oidc/<slug:provider_id>/login/", log_in_elsewhere, name="openid_connect_login"),
    path("accounts/", include("allauth.urls")),
    path("admin/queues/", queues, name="queues"),
    path("admin/flower/", flower, name="flower"),
    path("admin/flower/<path:path>", flower, name="flower_page"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("readyz", health.readyz, name="readyz"),
]
