"""Django's own tests, run over DynamoDB: `make django-suite`."""
