"""Each call that was seen is allowed to its role, and what is allowed was seen, or has its reason."""

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from deploy.tests.rehearse.account import ACCOUNT, KINDS, REGION, policy_of

KEPT = Path(__file__).resolve().parent.parent / "calls.json"
# Calls of botocore whose permission has another name.
ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:UploadPartCopy": "s3:PutObject",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:DeleteObjects": "s3:DeleteObject",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
BUCKET_ACTIONS = {"s3:ListBucket", "s3:ListBucketMultipartUploads"}

Call = tuple[str, str]  # an action, and the ARN of what it is about


def seen(path: Path) -> set[Call]:
    """The calls in a file of the recording, names of a moment made general."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {_call(json.loads(line)) for line in lines}


def _call(line: dict[str, str]) -> Call:
    action = f"{line['service']}:{line['operation']}"
    action = ACTIONS.get(action, action)
    name = _general(line["resource"]) if line["service"] == "sqs" else line["resource"]
    return action, _arn(line["service"], action, name)


def _general(name: str) -> str:
    """Control queues are made for one process each."""
    for end in ("pidbox", "reply"):
        if name.endswith(end):
            return f"gas-{'0' * 12}-{end}"
    return f"gas-celeryev-{'0' * 12}" if "celeryev" in name else name


def _arn(service: str, action: str, name: str) -> str:
    if not name or action == "sqs:ListQueues":
        return "*"
    if name.startswith("arn:"):
        return ":".join(name.split(":")[:6])  # of a subscription: its topic
    if service == "s3":
        return f"arn:aws:s3:::{name}" + ("" if action in BUCKET_ACTIONS else "/key")
    if service == "glacier":
        return f"arn:aws:glacier:{REGION}:{ACCOUNT}:vaults/{name}"
    if service == "dynamodb":
        return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name.split(',', maxsplit=1)[0]}"
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def statements(role: str) -> list[dict[str, Any]]:
    """Of what the service does; those of the host are another matter."""
    kinds = [kind for kind in KINDS[role] if kind != "Host"]
    return [statement for kind in kinds for statement in policy_of(role, kind)["Statement"]]


def is_allowed(role: str, call: Call) -> bool:
    action, resource = call
    return any(
        action in statement["Action"]
        and any(resource == "*" == given or fnmatchcase(resource, given) for given in statement["Resource"])
        for statement in statements(role)
    )


def unused(role: str, calls: Iterable[Call]) -> set[tuple[str, str, str]]:
    """What no call needed: statements' names, actions, and resources as they are granted."""
    granted = {
        (statement["Sid"], action, resource)
        for statement in statements(role)
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    used = set(calls)
    return {
        (name, action, given)
        for name, action, given in granted
        if not any(action == done and fnmatchcase(resource, given) for done, resource in used)
    }


def kept() -> dict[str, set[Call]]:
    """The calls that rehearsals have seen and kept, by role."""
    found = json.loads(KEPT.read_text())
    return {role: {(action, resource) for action, resource in calls} for role, calls in found.items()}


def keep(calls: dict[str, set[Call]]) -> None:
    """Together with those kept before: some calls depend on what happens at the same time."""
    before = kept()
    both = {role: sorted(found | before.get(role, set())) for role, found in calls.items()}
    KEPT.write_text(json.dumps(both, indent=1) + "\n")
