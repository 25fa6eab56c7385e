from django.apps import AppConfig


class SharingConfig(AppConfig):
    """An app of its own, so that its table lives with the accounts, wherever the jobs are."""

    name = "annotations.sharing"
    label = "sharing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from annotations.sharing import links  # noqa: F401  its receiver
