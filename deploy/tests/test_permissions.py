"""Roles may do what their processes were seen to do in `make rehearse`, and nothing else without a reason."""

import pytest

from deploy.reading import every
from deploy.tests.rehearse import permissions
from deploy.tests.rehearse.account import ROLES, policy_of

# Granted, but not to be seen in a rehearsal.
RARE = {
    "sqs:TagQueue": "asked for together with CreateQueue, which tags the queue in the same call",
    "s3:AbortMultipartUpload": "an upload in parts, of more than 8 MB, that breaks off",
    "s3:ListMultipartUploadParts": "a resumable upload that goes on",
    "dynamodb:BatchWriteItem": "the shards of a large job, when there are many",
    "autoscaling:CompleteLifecycleAction": "a host is taken away: deploy/hosts/drain.py",
    "autoscaling:RecordLifecycleActionHeartbeat": "a host is taken away: deploy/hosts/drain.py",
    "sqs:DeleteQueue": "a process that ends removes its control queues, if it ends by itself",
    "sns:Unsubscribe": "a process that ends removes its control queues, if it ends by itself",
    "sqs:ListQueueTags": "the hourly task that removes queues of killed processes",
}
RARE_IN = {
    ("Web", "DeadLetters"): "an operator sends dead letters back from the admin's page",
    ("Worker", "Tasks"): "the sweep looks at dead letters, when there are some",
}


@pytest.mark.parametrize("role", ROLES)
def test_every_call_that_was_seen_is_allowed(role: str) -> None:
    calls = permissions.kept()[role]
    assert calls
    assert [call for call in sorted(calls) if not permissions.is_allowed(role, call)] == []


@pytest.mark.parametrize("role", ROLES)
def test_nothing_else_is_granted_but_for_a_reason(role: str) -> None:
    unused = permissions.unused(role, permissions.kept()[role])
    unexplained = {
        (name, action) for name, action in unused if action not in RARE and (role, name) not in RARE_IN
    }
    assert unexplained == set()


def test_a_reason_that_is_no_longer_needed_is_removed() -> None:
    unused = {(role, *pair) for role in ROLES for pair in permissions.unused(role, permissions.kept()[role])}
    assert set(RARE) == {action for role, name, action in unused if (role, name) not in RARE_IN}


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
    assert len(every("AWS::IAM::RolePolicy")) == len(ROLES) * 2


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
