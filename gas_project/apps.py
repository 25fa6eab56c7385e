from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "gas_project"
    label = "gas_project"
    verbose_name = "Genomics Annotation Service"

    def ready(self) -> None:
        from django.conf import settings

        from gas_project import checks  # noqa: F401  the import registers them
        from gas_project.errors import report_errors_to

        if settings.SENTRY_DSN:
            report_errors_to(settings.SENTRY_DSN)
