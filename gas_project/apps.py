from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "gas_project"
    label = "gas_project"
    verbose_name = "Genomics Annotation Service"

    def ready(self) -> None:
        from gas_project import checks  # noqa: F401  the import registers them
