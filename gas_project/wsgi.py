"""What gunicorn serves."""

import os
from importlib import import_module

from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gas_project.settings")

application = get_wsgi_application()

# Django would load the pages when the first is asked for, and those of results bring duckdb, polars and the
# engine's libraries: seconds on a busy machine, which nobody shall wait for.
import_module(settings.ROOT_URLCONF)

# gunicorn runs no management command, so nothing else would say that a setting is wrong.
if errors := [str(message) for message in run_checks() if message.is_serious()]:
    raise ImproperlyConfigured("\n".join(errors))
