"""gas-deploy: bring an installation up, change it, look at it, take it down."""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.stack import data, hosts, release
from deploy.stack.configuration import Configuration, ConfigurationError, load
from deploy.stack.stacks import BASE, HOLDING_DATA, HOSTS, LAST, ORDER, StackError, Stacks, parameters

BUCKETS = ("Inputs", "Results", "Cold", "Static", "Releases")
UNCHANGED = "Nothing was changed."
TABLES = ("annotations_job", "annotations_shard")


class Refused(Exception):
    """The operator said no, or what they asked for can't be done as it is."""


@dataclass(frozen=True)
class Operator:
    """Who stands before the terminal; `agrees` to change sets without being asked."""

    agrees: bool = False
    ask: Callable[[str], str] = input
    say: Callable[[str], None] = print

    def confirm(self, question: str) -> None:
        if not self.agrees and self._answer(question).lower() not in {"y", "yes"}:
            raise Refused(UNCHANGED)

    def confirm_name(self, name: str) -> None:
        """Not even one who agrees is spared this."""
        if self._answer(f"Type {name} to go on: ") != name:
            raise Refused(UNCHANGED)

    def _answer(self, question: str) -> str:
        try:
            return self.ask(question).strip()
        except EOFError:
            raise Refused(f"{UNCHANGED} There is nobody to ask: run it in a terminal.") from None


class Deployment:
    """One installation. `client` makes clients of AWS by their service."""

    def __init__(
        self, service: str, config: Configuration, client: Callable[[str], Any], operator: Operator
    ) -> None:
        self._service, self._config, self._client = service, config, client
        self._operator, self._say = operator, operator.say
        self.stacks = Stacks(client("cloudformation"), service)

    def up(self, version: str | None) -> None:
        """Bring all stacks to what templates and configuration say, and all hosts to a release.

        Without a version the commit at hand is built, unless its release is there already.
        """
        for stack in BASE:
            self._bring(stack, {})
        outputs = self.stacks.outputs()
        version = self._released(version, outputs)
        key = release.public_key(self._client("kms"), outputs["ReleaseKey"])
        installation = hosts.Installation(self._service, version, self._config, outputs, key)
        user_data = {
            stack: hosts.packed(hosts.user_data(role, installation)) for role, stack in hosts.ROLES.items()
        }
        for stack in (*HOSTS, *LAST):
            self._bring(stack, user_data)
        outputs = self.stacks.outputs()
        self._say(f"{self._service} runs release {version}.")
        if address := outputs.get("BalancerAddress"):
            self._say(f"{self._config.site.url} is to lead to {address} (a CNAME or alias record).")

    def status(self) -> None:
        """States, releases and hosts."""
        for stack in ORDER:
            self._say(f"{self.stacks.name(stack):<28} {self.stacks.state(stack) or 'not there'}")
        outputs = self.stacks.outputs()
        if bucket := outputs.get("ReleasesBucket"):
            found = release.versions(self._client("s3"), bucket)
            for version, published_at in list(found.items())[-5:]:
                self._say(f"release {version} of {published_at:%Y-%m-%d %H:%M} UTC")
        names = [outputs[name] for name in ("WebGroupName", "WorkerGroupName") if name in outputs]
        if not names:
            return
        groups = self._client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=names)
        for group in groups["AutoScalingGroups"]:
            states = [instance["LifecycleState"] for instance in group["Instances"]]
            self._say(
                f"{group['AutoScalingGroupName']:<28} {states.count('InService')} in service of "
                f"{len(states)}; {group['MinSize']} to {group['MaxSize']}"
            )

    def down(self, *, delete_data: bool) -> None:
        """Delete what runs. Files, jobs, accounts and secrets stay, unless `delete_data`."""
        doomed = [stack for stack in reversed(ORDER) if delete_data or stack not in self._kept()]
        self._say("To be deleted: " + ", ".join(self.stacks.name(stack) for stack in doomed))
        if delete_data:
            self._say(
                "With every upload, result, archive, job and account. A last snapshot of PostgreSQL stays."
            )
            self._operator.confirm_name(self._service)
        else:
            self._say("All data stay: " + ", ".join(self.stacks.name(stack) for stack in self._kept()))
            self._operator.confirm("Delete these? [y/N] ")
        outputs = self.stacks.outputs()
        if delete_data and self.stacks.state("data"):
            self._client("rds").modify_db_instance(
                DBInstanceIdentifier=self._service, DeletionProtection=False, ApplyImmediately=True
            )
        for stack in doomed:
            if self.stacks.state(stack):
                self._say(f"deleting {self.stacks.name(stack)} ...")
                self.stacks.delete(stack)
        if delete_data:
            self._delete_data(outputs)

    def _kept(self) -> tuple[str, ...]:
        # Stacks that others import from can't go while those are kept.
        return ("network", "messages", *HOLDING_DATA)

    def _delete_data(self, outputs: dict[str, str]) -> None:
        s3, dynamodb = self._client("s3"), self._client("dynamodb")
        for name in BUCKETS:
            if bucket := outputs.get(f"{name}Bucket"):
                count = data.empty_and_delete_bucket(s3, bucket)
                self._say(f"deleted {bucket} with {count} objects")
        for table in TABLES:
            data.delete_table(dynamodb, f"{self._service}-{table}")
            self._say(f"deleted {self._service}-{table}")
        secrets = self._client("secretsmanager")
        for name in ("DatabaseSecret", "SettingsSecret"):
            if secret := outputs.get(name):
                secrets.delete_secret(SecretId=secret, RecoveryWindowInDays=30)
                self._say(f"{secret} goes in 30 days")

    def _bring(self, stack: str, user_data: dict[str, str]) -> None:
        change_set = f"gas-deploy-{time.time_ns()}"
        values = parameters(stack, self._service, self._config, user_data)
        changes = self.stacks.propose(stack, values, change_set)
        name = self.stacks.name(stack)
        if not changes:
            self._say(f"{name}: nothing to change")
            return
        self._say(f"{name}: {len(changes)} changes")
        for change in changes:
            self._say(f"    {change}")
        try:
            self._operator.confirm("Apply these? [y/N] ")
            if stack in HOLDING_DATA and any(part.replaces or part.action == "Remove" for part in changes):
                self._say("A change marked REPLACED or Remove may part the service from data that it has.")
                self._operator.confirm_name(self._service)
        except Refused:
            self.stacks.discard(stack, change_set)
            raise
        self._say(f"{name}: applying ...")
        self.stacks.apply(stack, change_set)

    def _released(self, version: str | None, outputs: dict[str, str]) -> str:
        s3, bucket = self._client("s3"), outputs["ReleasesBucket"]
        there = release.versions(s3, bucket)
        if version is not None:
            if version not in there:
                known = ", ".join(there) or "none"
                raise Refused(f"There is no release {version} in {bucket}; there are: {known}.")
            return version
        version = release.version_of()
        if version in there:
            return version
        self._say(f"building release {version} ...")
        content = release.build(version)
        signature = release.sign(self._client("kms"), outputs["ReleaseKey"], content)
        with tempfile.TemporaryDirectory() as folder:
            for path in release.static_files(Path(folder)):
                key = f"static/{path.relative_to(folder).as_posix()}"
                s3.upload_file(str(path), outputs["StaticBucket"], key, ExtraArgs=release.headers_of(path))
        release.publish(s3, bucket, version, content, signature)
        return version


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        config = load(options.config)
        deployment = Deployment(options.stack, config, _clients(config.region), Operator(options.yes))
        match options.command:
            case "up":
                deployment.up(None)
            case "update":
                deployment.up(options.version)
            case "status":
                deployment.status()
            case "down":
                deployment.down(delete_data=options.delete_data)
    except (ConfigurationError, Refused, StackError, release.ReleaseError) as error:
        print(error, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"AWS refused or can't be reached: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gas-deploy", description="The service in an AWS account.")
    commands = parser.add_subparsers(dest="command", required=True)
    descriptions = {
        "up": "bring it up, or to what the templates, the configuration and this commit say",
        "update": "the same; with --version to a release that was built before, which is how to roll back",
        "status": "stacks, releases and hosts",
        "down": "delete what runs; data stay",
    }
    for name, description in descriptions.items():
        command = commands.add_parser(name, help=description, description=description)
        command.add_argument(
            "--stack", required=True, metavar="NAME", type=_name, help="name of the installation"
        )
        command.add_argument(
            "--config", type=Path, default=Path("gas-deploy.toml"), help="default: %(default)s"
        )
        command.add_argument("--yes", action="store_true", help="apply change sets without asking")
        if name == "update":
            command.add_argument("--version", help="default: the commit at hand")
        if name == "down":
            command.add_argument("--delete-data", action="store_true", help="files, jobs and accounts, too")
    return parser


def _name(text: str) -> str:
    """As the templates want it: it begins the names of buckets, queues and roles."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,19}", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name of an installation: expected 2 to 20 small letters, digits and dashes, "
            "a letter first"
        )
    return text


def _clients(region: str) -> Callable[[str], Any]:
    import boto3
    from botocore.config import Config

    patience = Config(
        connect_timeout=10, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5}
    )

    def client(service: str) -> Any:
        return boto3.client(service, region_name=region, config=patience)

    return client
