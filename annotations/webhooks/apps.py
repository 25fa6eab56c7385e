from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """An app of its own, so that its tables live with the accounts, wherever the jobs are."""

    name = "annotations.webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"
    default_auto_field = "django.db.models.BigAutoField"
