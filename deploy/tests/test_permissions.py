"""Roles may do what their processes were seen to do in `make rehearse`, and nothing else without a reason."""

import pytest

from deploy.reading import every
from deploy.tests.rehearse import permissions
from deploy.tests.rehearse.account import KINDS, ROLES, policy_of

# Granted, but not to be seen in a rehearsal: by role and statement, the actions that this goes for.
ENDS = "CreateQueue tags, too; a process that ends by itself removes what it made"
LETTERS = {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"}
RARE = {
    ("Web", "Shards"): (
        {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:DeleteItem"},
        "a divided job that failed is tried again, or deleted",
    ),
    ("Web", "SendTasks"): ({"sqs:SendMessage"}, "an operator sends dead letters of shards back"),
    ("Web", "DeadLetters"): (LETTERS, "an operator sends dead letters back"),
    ("Web", "RemoteControlQueues"): ({"sqs:TagQueue", "sqs:DeleteQueue"}, ENDS),
    ("Worker", "Uploads"): (
        {"s3:PutObject", "s3:AbortMultipartUpload"},
        "an upload by address; one that comes in parts and is given up for a week",
    ),
    ("Worker", "Results"): ({"s3:AbortMultipartUpload"}, "an upload of more than 8 MB that breaks off"),
    ("Worker", "Archives"): ({"s3:AbortMultipartUpload"}, "an archive of more than 5 MB that breaks off"),
    ("Worker", "Jobs"): ({"dynamodb:BatchGetItem"}, "uploads that nobody submitted, looked for now and then"),
    ("Worker", "DeadLetters"): (LETTERS, "the sweep looks at dead letters, when there are some"),
    ("Worker", "Drain"): (
        {"autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"},
        "a host is taken away: deploy/hosts/drain.py",
    ),
    ("Worker", "Tidy"): (
        {"sqs:ListQueueTags", "sqs:DeleteQueue"},
        "the hourly task that removes queues of killed processes",
    ),
    ("Worker", "RemoteControlQueues"): ({"sqs:TagQueue"}, ENDS),
    ("Worker", "VaultInParts"): (
        {
            "glacier:InitiateMultipartUpload", "glacier:UploadMultipartPart",
            "glacier:CompleteMultipartUpload", "glacier:AbortMultipartUpload", "glacier:ListMultipartUploads",
        },
        "archives of more than 4 MB: moto's vault takes none in parts",
    ),
    ("Control", "RemoteControlQueues"): ({"sqs:TagQueue", "sqs:DeleteQueue"}, ENDS),
    ("Control", "RemoteControlSubscriptions"): ({"sns:Unsubscribe"}, ENDS),
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_every_call_that_was_seen_is_allowed(role: str) -> None:
    calls = permissions.kept()[role]
    assert calls
    assert [call for call in sorted(calls) if not permissions.is_allowed(role, call)] == []


@pytest.mark.parametrize("role", ROLES)
def test_nothing_else_is_granted_but_for_a_reason(role: str) -> None:
    """Neither an action nor a resource."""
    unexplained = {
        (name, action, resource)
        for name, action, resource in permissions.unused(role, permissions.kept()[role])
        if action not in RARE.get((role, name), (set(), ""))[0]
    }
    assert unexplained == set()


def test_a_reason_that_is_no_longer_needed_is_removed() -> None:
    unused = {
        (role, name, action)
        for role in ROLES
        for name, action, _ in permissions.unused(role, permissions.kept()[role])
    }
    explained = {(*where, action) for where, (actions, _) in RARE.items() for action in actions}
    assert explained - unused == set()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", ["Service", "Host"])
def test_a_wildcard_never_stands_for_all_actions_and_seldom_for_all_resources(role: str, kind: str) -> None:
    without_a_resource = {"sqs:ListQueues", "sns:Unsubscribe", "ssm:UpdateInstanceInformation"}
    for statement in policy_of(role, kind)["Statement"]:
        assert not [action for action in statement["Action"] if "*" in action]
        if "*" in statement["Resource"]:
            # AWS knows no resource for these.
            actions = [action for action in statement["Action"] if not action.startswith("ssmmessages:")]
            assert set(actions) <= without_a_resource, statement["Sid"]


def test_no_role_has_more_than_its_own_policies() -> None:
    for name, role in every("AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role["Properties"], name
        assert "Policies" not in role["Properties"], name
    assert len(every("AWS::IAM::RolePolicy")) == sum(map(len, KINDS.values()))


def test_only_hosts_may_take_the_roles() -> None:
    for role in every("AWS::IAM::Role").values():
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ec2.amazonaws.com"}


def test_beat_and_flower_reach_no_data_and_no_secret() -> None:
    actions = {
        action
        for kind in ("Service", "Host")
        for statement in policy_of("Control", kind)["Statement"]
        for action in statement["Action"]
        if statement["Sid"] not in {"Release"}
    }
    assert not [action for action in actions if action.startswith(("s3:", "dynamodb:", "secretsmanager:"))]
