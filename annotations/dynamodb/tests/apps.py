from django.apps import AppConfig


class DynamoDBTestsConfig(AppConfig):
    """Models for the tests of the backend alone; no project installs them but the tests."""

    name = "annotations.dynamodb.tests"
    label = "dynamodb_tests"
