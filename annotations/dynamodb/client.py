"""`manage.py dbshell`: the AWS command line, pointed at the same DynamoDB."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.client import BaseDatabaseClient


class DatabaseClient(BaseDatabaseClient):
    executable_name = "aws"

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Any
    ) -> tuple[list[str], dict[str, str] | None]:
        options = settings_dict["OPTIONS"]
        arguments = [cls.executable_name, "dynamodb"]
        for option, name in (("--region", "region_name"), ("--endpoint-url", "endpoint_url")):
            if options.get(name):
                arguments += [option, options[name]]
        return [*arguments, *(parameters or ["list-tables"])], None
