"""The settings under test: those of one machine, with all state in a folder that goes when the tests end."""

import atexit
import os
import shutil
import tempfile

from gas_project import environment

# What the developer's shell says must not decide whether a test passes.
for _name in [name for name in os.environ if name.startswith(environment.PREFIX)]:
    del os.environ[_name]

_state_dir = tempfile.mkdtemp(prefix="gas-tests-")
atexit.register(shutil.rmtree, _state_dir, ignore_errors=True)
os.environ["GAS_STATE_DIR"] = _state_dir
os.environ["GAS_BROKER_PORT"] = "1"  # nothing answers there, not even the developer's own service

from gas_project.settings import *  # noqa: E402, F403

# A file, not memory: tests of races need connections of their own.
DATABASES["default"]["TEST"] = {"NAME": STATE_DIR / "test.sqlite3"}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Every test client would look through all static files first.
WHITENOISE_AUTOREFRESH = True
# Models for the tests of the DynamoDB backend.
INSTALLED_APPS = [*INSTALLED_APPS, "annotations.dynamodb.tests.apps.DynamoDBTestsConfig"]  # noqa: F405
