from django.apps import AppConfig


class ArchivalConfig(AppConfig):
    name = "archival"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_delete

        from annotations.models import Job
        from annotations.removing import job_leaves
        from archival import discarding

        job_leaves.connect(discarding.job_leaves, sender=Job, dispatch_uid="archival.discarding")
        post_delete.connect(discarding.job_deleted, sender=Job, dispatch_uid="archival.discarding")
