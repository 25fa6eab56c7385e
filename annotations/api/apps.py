from django.apps import AppConfig


class ApiConfig(AppConfig):
    """An app of its own, so that its tables live with the accounts, wherever the jobs are."""

    name = "annotations.api"
    label = "api"
    verbose_name = "API"
    default_auto_field = "django.db.models.BigAutoField"
