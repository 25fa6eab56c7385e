from django.apps import AppConfig


class IncomingConfig(AppConfig):
    """An app of its own, so that its table lives with the accounts, wherever the jobs are."""

    name = "annotations.incoming"
    label = "incoming"
    verbose_name = "Uploads"
    default_auto_field = "django.db.models.BigAutoField"
