"""The pages of one's webhooks."""

from django.urls import path

from annotations.webhooks import pages

urlpatterns = [
    path("profile/webhooks/", pages.webhooks, name="webhooks"),
    path("profile/webhooks/<uuid:webhook_id>/", pages.webhook, name="webhook"),
    path("profile/webhooks/<uuid:webhook_id>/test/", pages.try_webhook, name="try_webhook"),
    path("profile/webhooks/<uuid:webhook_id>/switch/", pages.switch_webhook, name="switch_webhook"),
    path("profile/webhooks/<uuid:webhook_id>/delete/", pages.delete_webhook, name="delete_webhook"),
]
