from django.apps import AppConfig


class ArchivalConfig(AppConfig):
    name = "archival"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_delete

        from annotations.models import Job
        from archival.discarding import job_deleted

        post_delete.connect(job_deleted, sender=Job, dispatch_uid="archival.discarding")
