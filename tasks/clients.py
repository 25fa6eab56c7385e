"""Channels whose clients of AWS share what they read.

kombu 5.7.0 makes a session of boto3's for each client of each channel, and a session reads botocore's
description of AWS for itself, 8 MB: a worker with events and remote control has six.
"""

from typing import Any

from botocore.config import Config
from kombu.transport import SQS

from tasks.sqs import session


class SharingChannel(SQS.Channel):
    def _new_boto_client(  # noqa: PLR0913, PLR0917  kombu's own
        self,
        service: str,
        region: str | None,
        access_key_id: str | None,
        secret_access_key: str | None,
        session_token: str | None = None,
        config: Config | None = None,
    ) -> Any:
        wanted = Config(**(self.transport_options.get("client-config") or {}))
        return session(
            region_name=region,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            aws_session_token=session_token,
        ).client(
            service,
            config=wanted.merge(config) if config is not None else wanted,
            use_ssl=self.is_secure if self.is_secure is not None else True,
            endpoint_url=self.endpoint_url,
        )
