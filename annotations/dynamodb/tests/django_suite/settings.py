"""Settings for Django's runtests.py; the emulator's address comes in the environment."""

import os

DATABASES = {
    alias: {
        "ENGINE": "annotations.dynamodb.tests.django_suite",
        "NAME": f"{alias}-",
        "OPTIONS": {
            "endpoint_url": os.environ["DJANGO_SUITE_ENDPOINT_URL"],
            "region_name": "us-east-1",
            "aws_access_key_id": "emulator",
            "aws_secret_access_key": "emulator",  # it lets everybody in
            "scan": "allow",
        },
    }
    for alias in ("default", "other")
}
SECRET_KEY = "for tests alone"
USE_TZ = False
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TEST_RUNNER = "annotations.dynamodb.tests.django_suite.runner.Runner"
