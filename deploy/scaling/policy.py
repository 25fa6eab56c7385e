"""The numbers of the autoscaling policy, from the template that is deployed."""

import re
from dataclasses import dataclass

from deploy.reading import properties, template


@dataclass(frozen=True)
class Policy:
    """`target` is the number of messages that may wait for each host in service.

    `interruptions_an_hour`: how often AWS takes a spot host away, for each, with so much notice.
    """

    target: float
    hosts_at_least: int
    hosts_at_most: int
    warmup_seconds: float
    mean_task_seconds: float
    acceptable_wait_seconds: float
    hosts_on_demand: int
    is_spot: bool = False
    interruptions_an_hour: float = 0.0
    notice_seconds: float = 120


def of_the_template() -> Policy:
    parameter = template("workers")["Parameters"]["BacklogPerInstance"]
    wait, task = re.findall(r"(\d+) s\b", parameter["Description"])
    group = properties("workers", "Group")
    return Policy(
        target=float(parameter["Default"]),
        hosts_at_least=int(group["MinSize"]),
        hosts_at_most=int(group["MaxSize"]),
        warmup_seconds=float(properties("workers", "Backlog")["EstimatedInstanceWarmup"]),
        mean_task_seconds=float(task),
        acceptable_wait_seconds=float(wait),
        hosts_on_demand=int(group["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandBaseCapacity"]),
    )
