"""The installation's stacks: their order, their parameters, and the change sets by which they change."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from deploy.stack.configuration import Configuration

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
# Each imports what those before it export.
BASE = ("network", "messages", "storage", "data", "access")
HOSTS = ("web", "workers", "control")
LAST = ("observability",)
ORDER = (*BASE, *HOSTS, *LAST)
HOLDING_DATA = ("storage", "data")
NOTHING_TO_CHANGE = ("didn't contain changes", "No updates are to be performed")
CHANGE_SET_SECONDS = 600
STACK_SECONDS = 7200  # workers finish their jobs before they are replaced
POLL_SECONDS = 5.0


class StackError(Exception):
    """A stack did not become what it should; says which, and why as far as CloudFormation knows."""


@dataclass(frozen=True)
class Change:
    """One line of a change set. `replaces` is whether the resource is made anew, and its contents with it."""

    action: str
    resource: str
    kind: str
    replaces: bool

    def __str__(self) -> str:
        return f"{self.action:<7} {self.kind:<42} {self.resource}{'  REPLACED' if self.replaces else ''}"


def parameters(
    stack: str, service: str, config: Configuration, user_data: Mapping[str, str]
) -> dict[str, str]:
    """What the configuration says to one template; `user_data` is packed, by stack."""
    site, sizes = config.site, config.sizes
    special: dict[str, dict[str, str]] = {
        "network": {"Zones": ",".join(sizes.zones), "NatPerZone": _flag(sizes.nat_per_zone)},
        "messages": {
            "MailDomain": site.mail_domain,
            "AlarmAddress": site.alarm_address,
            "GlacierVault": site.glacier_vault,
        },
        "access": {"GlacierVault": site.glacier_vault},
        "storage": {"SiteUrl": site.url},
        "data": {
            "DatabaseClass": sizes.database_class,
            "DatabaseInTwoZones": _flag(sizes.database_in_two_zones),
        },
        "web": {"Certificate": site.certificate, "InstanceType": sizes.web_instance},
        "workers": {
            "InstanceTypes": ",".join(sizes.worker_instances),
            "BacklogPerInstance": str(sizes.backlog_per_instance or ""),
            "OnDemandPercentage": str(sizes.on_demand_percentage),
        },
        "observability": {"MonthlyBudget": str(sizes.monthly_budget or "")},
    }
    values = {"Service": service, **special.get(stack, {})}
    if stack in user_data:
        values["UserData"] = user_data[stack]
    return {name: value for name, value in values.items() if value}


def _flag(value: bool) -> str:
    return "true" if value else "false"


class Stacks:
    """The stacks of one installation, over a client of CloudFormation."""

    def __init__(self, client: Any, service: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client, self._service, self._sleep = client, service, sleep

    def name(self, stack: str) -> str:
        return f"{self._service}-{stack}"

    def state(self, stack: str) -> str:
        """CloudFormation's word for it; empty when there is none."""
        description = self._described(stack)
        return str(description["StackStatus"]) if description else ""

    def outputs(self) -> dict[str, str]:
        """Of all stacks that are there, by name."""
        found: dict[str, str] = {}
        for stack in ORDER:
            description = self._described(stack) or {}
            found |= {part["OutputKey"]: part["OutputValue"] for part in description.get("Outputs", ())}
        return found

    def parameter(self, stack: str, name: str) -> str:
        """The value in force; empty when there is none."""
        description = self._described(stack) or {}
        values = {part["ParameterKey"]: part["ParameterValue"] for part in description.get("Parameters", ())}
        return str(values.get(name, ""))

    def propose(self, stack: str, values: Mapping[str, str], change_set: str) -> list[Change]:
        """Make a change set and say what it would change; empty when nothing. Nothing is applied."""
        state = self.state(stack)
        if state == "ROLLBACK_COMPLETE":
            raise StackError(
                f"{self.name(stack)} was never made whole. Look at its events in CloudFormation's console, "
                "mend what they name, delete it there, and try again."
            )
        self._client.create_change_set(
            StackName=self.name(stack),
            ChangeSetName=change_set,
            ChangeSetType="UPDATE" if state not in {"", "REVIEW_IN_PROGRESS"} else "CREATE",
            TemplateBody=(TEMPLATES / f"{stack}.yaml").read_text(),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
            Capabilities=["CAPABILITY_IAM"],
            Tags=[{"Key": "service", "Value": self._service}],
        )
        description = self._until_proposed(stack, change_set)
        if description["Status"] == "FAILED":
            self._client.delete_change_set(StackName=self.name(stack), ChangeSetName=change_set)
            reason = description.get("StatusReason", "")
            if any(text in reason for text in NOTHING_TO_CHANGE):
                return []
            raise StackError(f"{self.name(stack)} can't be changed so: {reason}")
        return [_change(part["ResourceChange"]) for part in description.get("Changes", ())]

    def apply(self, stack: str, change_set: str) -> None:
        """Raises StackError when CloudFormation had to roll back."""
        self._client.execute_change_set(StackName=self.name(stack), ChangeSetName=change_set)
        state = self._until_settled(stack)
        if state not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            raise StackError(f"{self.name(stack)} ended as {state}: {self._first_failure(stack)}")

    def discard(self, stack: str, change_set: str) -> None:
        self._client.delete_change_set(StackName=self.name(stack), ChangeSetName=change_set)
        if self.state(stack) == "REVIEW_IN_PROGRESS":  # made by the change set alone
            self._client.delete_stack(StackName=self.name(stack))

    def delete(self, stack: str) -> None:
        """What the template says is retained stays. Raises StackError."""
        self._client.delete_stack(StackName=self.name(stack))
        state = self._until_settled(stack)
        if state not in {"", "DELETE_COMPLETE"}:
            raise StackError(f"{self.name(stack)} ended as {state}: {self._first_failure(stack)}")

    def _described(self, stack: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.describe_stacks(StackName=self.name(stack))["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if found["StackStatus"] == "DELETE_COMPLETE" else found

    def _until_proposed(self, stack: str, change_set: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self._client.describe_change_set(
                StackName=self.name(stack), ChangeSetName=change_set
            )
            return found if found["Status"] in {"CREATE_COMPLETE", "FAILED"} else None

        return self._wait(look, CHANGE_SET_SECONDS, f"the change set of {self.name(stack)}")

    def _until_settled(self, stack: str) -> str:
        def look() -> tuple[str] | None:
            state = self.state(stack)
            return None if state.endswith("_IN_PROGRESS") else (state,)

        return str(self._wait(look, STACK_SECONDS, self.name(stack))[0])

    def _wait(self, look: Callable[[], Any], seconds: float, what: str) -> Any:
        for _ in range(int(seconds / POLL_SECONDS)):
            if (found := look()) is not None:
                return found
            self._sleep(POLL_SECONDS)
        raise StackError(f"{what} was not ready after {seconds:.0f} s; CloudFormation goes on with it.")

    def _first_failure(self, stack: str) -> str:
        """The newest failure's reasons come first in the list; the cause is the oldest of this attempt."""
        events = self._client.describe_stack_events(StackName=self.name(stack))["StackEvents"]
        reason = "CloudFormation gives no reason."
        for event in events:
            state = str(event.get("ResourceStatus", ""))
            if state.endswith("FAILED") and "cancelled" not in event.get("ResourceStatusReason", ""):
                reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            elif event["LogicalResourceId"] == self.name(stack) and state in {
                "CREATE_IN_PROGRESS",
                "UPDATE_IN_PROGRESS",
                "DELETE_IN_PROGRESS",
            }:
                break
        return reason


def _change(found: Mapping[str, Any]) -> Change:
    return Change(
        found["Action"],
        found["LogicalResourceId"],
        found["ResourceType"],
        found.get("Replacement") in {"True", "Conditional"},
    )
