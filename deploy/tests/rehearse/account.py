"""An AWS account on this machine: what the templates say, made in an emulator that checks permissions."""

import json
from dataclasses import dataclass
from typing import Any

import boto3

from deploy.reading import plain, properties, resources, template

REGION, ACCOUNT = "us-east-1", "000000000000"
ROOT = {"AWS_ACCESS_KEY_ID": "root", "AWS_SECRET_ACCESS_KEY": "of-the-emulator"}
VAULT = "results"
NAMES = {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "GlacierVault": VAULT}
ROLES = ("Web", "Worker", "Control")
KINDS = {"Web": ("Service", "Host"), "Worker": ("Service", "Host", "Vault"), "Control": ("Service", "Host")}
VISIBILITY_SECONDS = "15"  # instead of two minutes, so that a killed worker's messages are back soon


@dataclass(frozen=True)
class Account:
    """`outputs` as the stacks would have them; `credentials` by role, as variables."""

    endpoint_url: str
    outputs: dict[str, str]
    credentials: dict[str, dict[str, str]]

    def client(self, service: str) -> Any:
        return _client(self.endpoint_url, service)


def _client(endpoint_url: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=ROOT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ROOT["AWS_SECRET_ACCESS_KEY"],
    )


def made(endpoint_url: str) -> Account:
    """Queues, topics, buckets, tables and roles, with the names, attributes and policies of the templates."""
    outputs: dict[str, str] = {}
    _make_queues(_client(endpoint_url, "sqs"))
    outputs |= {"StorageEventsQueueName": "gas-storage-events"}
    outputs |= _make_topics(_client(endpoint_url, "sns"))
    outputs |= _make_buckets(_client(endpoint_url, "s3"))
    make_tables(endpoint_url)
    credentials = {role: _make_role(_client(endpoint_url, "iam"), role) for role in ROLES}
    return Account(endpoint_url, outputs, credentials)


def _text(value: Any) -> str:
    return plain(value, **NAMES)


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def _make_queues(sqs: Any) -> None:
    queues = resources("messages", "AWS::SQS::Queue")
    for _, queue in sorted(queues.items()):  # "…Dead" comes before "…Queue"
        found = queue["Properties"]
        attributes = {"VisibilityTimeout": VISIBILITY_SECONDS}
        if redrive := found.get("RedrivePolicy"):
            dead = queues[redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]]["Properties"]["QueueName"]
            tries, target = redrive["maxReceiveCount"], arn("sqs", _text(dead))
            attributes["RedrivePolicy"] = json.dumps(
                {"deadLetterTargetArn": target, "maxReceiveCount": tries}
            )
        sqs.create_queue(QueueName=_text(found["QueueName"]), Attributes=attributes)
    from_s3, from_vault = properties("messages", "StorageEventsPolicy")["PolicyDocument"]["Statement"]
    bucket = _text(from_s3["Condition"]["ArnEquals"]["aws:SourceArn"])
    statements = [
        policy
        | {
            "Resource": arn("sqs", "gas-storage-events"),
            "Condition": {"ArnEquals": {"aws:SourceArn": source}},
        }
        for policy, source in (
            (from_s3, bucket),
            (from_vault["Fn::If"][1], arn("sns", "gas-retrievals")),
        )
    ]
    url = sqs.get_queue_url(QueueName="gas-storage-events")["QueueUrl"]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})


def _make_topics(sns: Any) -> dict[str, str]:
    outputs = {}
    for name in ("JobResults", "Retrievals"):
        found = properties("messages", name)
        outputs[f"{name}Topic"] = sns.create_topic(Name=_text(found["TopicName"]))["TopicArn"]
        for told in found.get("Subscription", ()):
            assert told["Endpoint"] == {"Fn::GetAtt": ["StorageEventsQueue", "Arn"]}
            queue = arn("sqs", "gas-storage-events")
            sns.subscribe(TopicArn=outputs[f"{name}Topic"], Protocol=told["Protocol"], Endpoint=queue)
    return outputs


def _make_buckets(s3: Any) -> dict[str, str]:
    outputs = {}
    for name, bucket in resources("storage", "AWS::S3::Bucket").items():
        found = bucket["Properties"]
        outputs[f"{name}Bucket"] = _text(found["BucketName"])
        s3.create_bucket(Bucket=outputs[f"{name}Bucket"])
        if "VersioningConfiguration" in found:
            s3.put_bucket_versioning(
                Bucket=outputs[f"{name}Bucket"], VersioningConfiguration=found["VersioningConfiguration"]
            )
    (told,) = properties("storage", "Cold")["NotificationConfiguration"]["QueueConfigurations"]
    s3.put_bucket_notification_configuration(
        Bucket=outputs["ColdBucket"],
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn("sqs", "gas-storage-events"), "Events": [told["Event"]]}]
        },
    )
    return outputs


def make_tables(endpoint_url: str) -> None:
    """DynamoDB may be a process of its own."""
    for table in resources("data", "AWS::DynamoDB::Table").values():
        _make_table(_client(endpoint_url, "dynamodb"), table["Properties"])


def _make_table(dynamodb: Any, found: dict[str, Any]) -> None:
    taken = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    dynamodb.create_table(
        TableName=_text(found["TableName"]), **{name: found[name] for name in taken if name in found}
    )


def _make_role(iam: Any, role: str) -> dict[str, str]:
    """A user with the role's policy: credentials of an instance come by a service that is not here."""
    iam.create_user(UserName=role)
    for kind in KINDS[role]:
        document = policy_of(role, kind)
        iam.put_user_policy(UserName=role, PolicyName=kind, PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=role)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def policy_of(role: str, kind: str) -> dict[str, Any]:
    """One of the role's policies, with the names of this account."""
    document = template("access")["Resources"][f"{role}{kind}"]["Properties"]["PolicyDocument"]
    statements = [
        statement | {"Resource": [_here(_text(resource)) for resource in statement["Resource"]]}
        for statement in document["Statement"]
    ]
    return {"Version": document["Version"], "Statement": statements}


def _here(name: str) -> str:
    return name.replace(":eu-central-1:111122223333:", f":{REGION}:{ACCOUNT}:")
