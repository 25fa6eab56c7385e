"""What cold storage says when a retrieval is ready, in the forms in which it arrives on a queue.

S3 sends event notifications
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html), a Glacier vault a
description of the retrieval job, by SNS; S3's may come by SNS too. An event is a hint: whoever acts on one
asks cold storage.
"""

import json
import re
from typing import Any
from urllib.parse import unquote_plus

TEST_EVENT = "s3:TestEvent"
COMPLETED = "ObjectRestore:Completed"  # S3 writes the name without its "s3:" into the records
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# The token of an archive, which is a key's beginning in S3 and a description in a vault.
_TOKEN = re.compile(rf"[^/]+/(?P<job_id>{_UUID})/")


class NotAnEvent(Exception):
    """The message is none of ours; says what was expected and what was found."""


def jobs_ready(body: str) -> list[str]:
    """The ids of jobs whose archives, by this message, can be restored; none for events about other things.

    Raises NotAnEvent.
    """
    message = _json(body)
    if message.get("Type") == "Notification":  # the envelope of SNS
        message = _json(message.get("Message"))
    if message.get("Event") == TEST_EVENT:
        return []
    if isinstance(message.get("Records"), list):
        return [job_id for record in message["Records"] for job_id in _of_s3(record)]
    if message.get("Action") == "ArchiveRetrieval":
        return _of_vault(message)
    if message.get("Action") == "InventoryRetrieval":
        return []
    raise NotAnEvent(f"Expected an event of S3 or a Glacier vault, found {_shortened(body)}.")


def _of_s3(record: Any) -> list[str]:
    try:
        if COMPLETED not in record["eventName"]:
            return []
        return _job_of(unquote_plus(record["s3"]["object"]["key"]))
    except (TypeError, KeyError) as error:
        raise NotAnEvent(f"Expected a record of S3, found {_shortened(json.dumps(record))}.") from error


def _of_vault(message: dict[str, Any]) -> list[str]:
    if not message.get("Completed"):
        return []
    # A failed retrieval is worth a look too: it is asked for again.
    return _job_of(str(message.get("JobDescription") or ""))


def _job_of(token: str) -> list[str]:
    match = _TOKEN.match(token)
    return [match["job_id"]] if match else []


def _json(text: Any) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotAnEvent(f"Expected JSON, found {_shortened(str(text))}.") from error
    if not isinstance(message, dict):
        raise NotAnEvent(f"Expected a JSON object, found {_shortened(str(text))}.")
    return message


def _shortened(text: str) -> str:
    return repr(text[:200])
