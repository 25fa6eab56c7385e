"""Stacks change by change sets that were shown, and data go only when told twice."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import boto3
import pytest

from annotations.dynamodb.tests.servers import ministack_with
from deploy.reading import NAMES, template
from deploy.stack import command, data, stacks
from deploy.stack.command import Deployment, Operator, Refused
from deploy.stack.configuration import ConfigurationError, load
from deploy.stack.hosts import Installation, service_environment
from deploy.stack.stacks import StackError, Stacks, parameters

EXAMPLE = Path(__file__).resolve().parent.parent / "example.toml"
OUTPUTS = (
    "StorageEventsQueueName", "JobResultsTopic", "InputsBucket", "ResultsBucket", "ColdBucket", "StaticUrl",
    "RetrievalsTopic",
)  # fmt: skip
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "root", "AWS_SECRET_ACCESS_KEY": "of-the-emulator"}
SMALL = """
Parameters:
  Service: {Type: String}
  Seconds: {Type: Number, Default: 30}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Sub "${Service}-small", VisibilityTimeout: !Ref Seconds}
Outputs:
  QueueName: {Value: !GetAtt Queue.QueueName, Export: {Name: !Sub "${Service}-QueueName"}}
"""


# Configuration


def test_the_example_is_a_configuration_and_fits_every_template() -> None:
    config = load(EXAMPLE)
    for name in NAMES:
        declared = template(name)["Parameters"]
        given = parameters(name, "gas", config, dict.fromkeys(stacks.HOSTS, "packed"))
        assert set(given) <= set(declared), name
        required = {key for key, part in declared.items() if "Default" not in part}
        assert required <= set(given), name


def test_the_order_is_that_of_the_imports() -> None:
    assert stacks.ORDER == NAMES


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("region = 'mars'", "region is 'mars'"),
        ("region = 'eu-central-1'", r"\[site\] lacks url, certificate"),
        ("region = 'eu-central-1'\nsite = {zone = 1}", r"\[site\] zone means nothing; expected url"),
        ("region = 'eu-central-1'\nsettings = {PORT = 1}", r"\[settings\] has PORT"),
        ("region = ", "gas.toml"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "gas.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        load(path)


# Stacks, over an emulator of CloudFormation


@pytest.fixture(scope="module")
def aws() -> Iterator[Any]:
    with ministack_with("cloudformation,sqs,s3,dynamodb", CREDENTIALS) as port:

        def client(service: str) -> Any:
            return boto3.client(
                service,
                endpoint_url=f"http://127.0.0.1:{port}",
                region_name="eu-central-1",
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            )

        yield client


@pytest.fixture
def small(
    aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Stacks:
    """Stacks whose one template is a queue, under a name of the test's own."""
    monkeypatch.setattr(stacks, "TEMPLATES", tmp_path)
    monkeypatch.setattr(stacks, "POLL_SECONDS", 0.05)
    (tmp_path / "messages.yaml").write_text(SMALL)
    return Stacks(aws("cloudformation"), f"t{crc32(request.node.name.encode())}")


def values(small: Stacks, **more: str) -> dict[str, str]:
    return {"Service": small.name("").rstrip("-"), **more}


def test_a_change_is_shown_before_it_is_applied(small: Stacks, aws: Any) -> None:
    (change,) = small.propose("messages", values(small), "first")
    assert (change.action, change.resource, change.kind) == ("Add", "Queue", "AWS::SQS::Queue")
    assert small.outputs() == {}
    assert not aws("sqs").list_queues(QueueNamePrefix=values(small)["Service"]).get("QueueUrls")
    small.apply("messages", "first")
    assert small.state("messages") == "CREATE_COMPLETE"
    assert small.outputs() == {"QueueName": f"{values(small)['Service']}-small"}

    (change,) = small.propose("messages", values(small, Seconds="60"), "second")
    assert change.action == "Modify"
    small.apply("messages", "second")
    assert small.parameter("messages", "Seconds") == "60"


def test_what_is_already_so_needs_no_change(small: Stacks) -> None:
    small.propose("messages", values(small), "first")
    small.apply("messages", "first")
    assert small.propose("messages", values(small), "second") == []


def test_a_change_that_is_not_wanted_leaves_nothing(small: Stacks) -> None:
    small.propose("messages", values(small), "first")
    small.discard("messages", "first")
    assert small.state("messages") in {"", "REVIEW_IN_PROGRESS"}


def test_a_stack_that_is_deleted_is_gone(small: Stacks) -> None:
    small.propose("messages", values(small), "first")
    small.apply("messages", "first")
    small.delete("messages")
    assert small.state("messages") == ""
    small.delete("messages")


def test_a_failure_names_its_cause(small: Stacks, tmp_path: Path) -> None:
    broken = SMALL.replace('!Sub "${Service}-small"', '!ImportValue "nobody-exports-this"')
    (tmp_path / "messages.yaml").write_text(broken)
    small.propose("messages", values(small), "first")
    with pytest.raises(StackError, match="nobody-exports-this"):
        small.apply("messages", "first")


def test_a_bucket_is_emptied_of_every_version(aws: Any) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="doomed", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_versioning(Bucket="doomed", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="doomed", Key="a", Body=body)
    s3.delete_object(Bucket="doomed", Key="a")
    assert data.empty_and_delete_bucket(s3, "doomed") == 3
    assert "doomed" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


# The command


class FakeStacks:
    """All stacks are there."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.applied: list[str] = []
        self.discarded: list[str] = []
        self.changes: list[stacks.Change] = [stacks.Change("Modify", "Jobs", "AWS::DynamoDB::Table", True)]

    def name(self, stack: str) -> str:
        return f"gas-{stack}"

    def state(self, stack: str) -> str:
        return "CREATE_COMPLETE"

    def outputs(self) -> dict[str, str]:
        return {"InputsBucket": "gas-inputs"}

    def delete(self, stack: str) -> None:
        self.deleted.append(stack)

    def propose(self, stack: str, values: dict[str, str], change_set: str) -> list[stacks.Change]:
        return self.changes

    def apply(self, stack: str, change_set: str) -> None:
        self.applied.append(stack)

    def discard(self, stack: str, change_set: str) -> None:
        self.discarded.append(stack)


class Silent:
    """A client that takes every call and notes its name."""

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **options: self.calls.append(name)


Made = tuple[Deployment, FakeStacks, list[str], list[str]]


def deployment(answers: list[str], *, agrees: bool = False) -> Made:
    """A deployment with its stacks, what it said, and the calls it made."""
    said: list[str] = []
    calls: list[str] = []
    operator = Operator(agrees, ask=lambda question: answers.pop(0), say=said.append)
    made = Deployment("gas", load(EXAMPLE), lambda service: Silent(calls), operator)
    fake = FakeStacks()
    made.stacks = fake  # type: ignore[assignment]
    return made, fake, said, calls


def test_down_keeps_all_data() -> None:
    made, fake, said, calls = deployment(["y"])
    made.down(delete_data=False)
    assert fake.deleted == ["observability", "control", "workers", "web", "access"]
    assert any("All data stay" in line for line in said)
    assert calls == []


def test_down_deletes_nothing_unless_the_operator_agrees() -> None:
    made, fake, _, _ = deployment(["n"])
    with pytest.raises(Refused):
        made.down(delete_data=False)
    assert fake.deleted == []


def test_data_go_only_when_the_name_is_typed_even_for_who_agrees_to_all() -> None:
    made, fake, _, calls = deployment(["yes"], agrees=True)
    with pytest.raises(Refused):
        made.down(delete_data=True)
    assert (fake.deleted, calls) == ([], [])


def test_data_go_when_they_are_meant_to(monkeypatch: pytest.MonkeyPatch) -> None:
    emptied: list[str] = []
    monkeypatch.setattr(data, "empty_and_delete_bucket", lambda s3, bucket: emptied.append(bucket))
    made, fake, _, calls = deployment(["gas"])
    made.down(delete_data=True)
    assert fake.deleted == list(reversed(stacks.ORDER))
    assert emptied == ["gas-inputs"]
    assert calls.count("delete_table") == 2
    assert calls[0] == "modify_db_instance"  # its deletion protection


def test_a_change_set_is_shown_and_dropped_when_it_is_not_wanted() -> None:
    made, fake, said, _ = deployment(["n"])
    with pytest.raises(Refused):
        made._bring("web", {})
    assert any("AWS::DynamoDB::Table" in line and "REPLACED" in line for line in said)
    assert (fake.applied, fake.discarded) == ([], ["web"])


def test_a_table_is_replaced_only_when_the_name_is_typed() -> None:
    made, fake, _, _ = deployment(["no"], agrees=True)
    with pytest.raises(Refused):
        made._bring("data", {})
    assert fake.applied == []
    made, fake, _, _ = deployment(["gas"], agrees=True)
    made._bring("data", {})
    assert fake.applied == ["data"]


def test_a_release_that_is_not_there_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _, _, _ = deployment([])
    monkeypatch.setattr(command.release, "versions", lambda s3, bucket: {"aaa": None, "bbb": None})
    with pytest.raises(Refused, match="there are: aaa, bbb"):
        made._released("ccc", {"ReleasesBucket": "releases"})
    assert made._released("aaa", {"ReleasesBucket": "releases"}) == "aaa"


def test_a_missing_configuration_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command.main(["status", "--stack", "gas", "--config", str(tmp_path / "none.toml")]) == 1
    assert "Copy deploy/example.toml" in capsys.readouterr().err


def test_a_name_that_no_bucket_could_have_is_refused_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        command.main(["status", "--stack", "Demo_1"])
    assert "'Demo_1' is no name of an installation: expected 2 to 20 small letters" in capsys.readouterr().err


def test_a_vault_that_is_named_takes_the_place_of_the_cold_bucket() -> None:
    config = load(EXAMPLE)
    outputs = {name: name for name in OUTPUTS}
    in_bucket = service_environment(Installation("gas", "1", config, outputs, ""))
    assert (in_bucket["GAS_ARCHIVE_BUCKET"], in_bucket.get("GAS_GLACIER_VAULT")) == ("ColdBucket", None)
    with_vault = replace(config, site=replace(config.site, glacier_vault="results"))
    in_vault = service_environment(Installation("gas", "1", with_vault, outputs, ""))
    assert "GAS_ARCHIVE_BUCKET" not in in_vault
    assert in_vault["GAS_GLACIER_VAULT"] == "results"
    assert in_vault["GAS_GLACIER_TOPIC"] == "RetrievalsTopic"
    for stack in ("messages", "access"):
        assert parameters(stack, "gas", with_vault, {})["GlacierVault"] == "results"
        assert "GlacierVault" not in parameters(stack, "gas", config, {})


def test_where_nobody_can_be_asked_nothing_is_changed() -> None:
    def nobody(question: str) -> str:
        raise EOFError

    operator = Operator(agrees=True, ask=nobody)
    operator.confirm("Apply these? [y/N] ")
    for ask in (lambda: operator.confirm_name("gas"), lambda: Operator(ask=nobody).confirm("Apply? ")):
        with pytest.raises(Refused, match="There is nobody to ask"):
            ask()
