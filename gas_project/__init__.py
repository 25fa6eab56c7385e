"""The Django project: settings, Celery application, wiring."""

from gas_project.celery import app as celery_app

__all__ = ["celery_app"]
