"""`make autoscaling`: the table and the curve of docs/autoscaling.md."""

import argparse
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from deploy.scaling.model import Fleet, Outcome, Scenario
from deploy.scaling.policy import Policy, of_the_template
from deploy.scaling.scenarios import PROJECT, SCENARIOS

SEEDS = range(5)
TARGETS = (2, 4, 6, 8, 10, 12, 16, 20, 30, 40, 60, 90)
PRICE_AN_HOUR = 0.0893  # US dollars, c7i.large on demand in us-east-1: docs/deploy.md has the source
BEGIN, END = "<!-- begin of what make autoscaling writes -->", "<!-- end -->"
HOURS_OF_A_MONTH = 730
# How often AWS takes a spot host: what is said of most types, bad luck, and hosts that break down.
SPOT: dict[str, dict[str, Any]] = {
    "on demand": {},
    "spot, 10 % of hosts in a month": {"interruptions_an_hour": -math.log(0.9) / HOURS_OF_A_MONTH},
    "spot, each host once an hour": {"interruptions_an_hour": 1.0},
    "the same, without notice": {"interruptions_an_hour": 1.0, "notice_seconds": 0.0},
}


def mean_of(policy: Policy, scenario: Scenario, *, drains: bool = True) -> Outcome:
    """All runs' waits together; hours and killed jobs of a mean run."""
    runs = [Fleet(policy, scenario, seed, drains=drains).run() for seed in SEEDS]
    return Outcome(
        waits=[wait for run in runs for wait in run.waits],
        arrived=sum(run.arrived for run in runs),
        finished=sum(run.finished for run in runs),
        killed=round(sum(run.killed for run in runs) / len(runs)),
        interruptions=round(sum(run.interruptions for run in runs) / len(runs)),
        repeated=round(sum(run.repeated for run in runs) / len(runs)),
        host_hours=sum(run.host_hours for run in runs) / len(runs),
        spot_hours=sum(run.spot_hours for run in runs) / len(runs),
        most_hosts=max(run.most_hosts for run in runs),
    )


def table(policy: Policy) -> str:
    heads = ["scenario", "jobs", "median wait", "p95 wait", "most hosts", "host hours", "US dollars"]
    heads += ["killed", "without draining"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for scenario in SCENARIOS:
        found = mean_of(policy, scenario)
        without = mean_of(policy, scenario, drains=False)
        median = sorted(found.waits)[len(found.waits) // 2]
        lines.append(
            f"| {scenario.name}, {scenario.hours:.0f} h | {len(found.waits) // len(SEEDS)} | {median:.0f} s "
            f"| {found.p95_wait_seconds:.0f} s | {found.most_hosts} | {found.host_hours:.1f} "
            f"| {found.host_hours * PRICE_AN_HOUR:.2f} | {found.killed} | {without.killed} |"
        )
    return "\n".join(lines)


def spot_table(policy: Policy) -> str:
    heads = [PROJECT.name, "p95 wait", "host hours", "of them spot", "interrupted", "tasks done anew"]
    lines = [f"| {' | '.join([*heads, 'jobs lost'])} |", "|---" * 7 + "|"]
    for name, luck in SPOT.items():
        found = mean_of(replace(policy, is_spot=bool(luck), **luck), PROJECT)
        cells = [
            name,
            f"{found.p95_wait_seconds:.0f} s",
            f"{found.host_hours:.1f}",
            f"{found.spot_hours:.1f}",
        ]
        cells += [str(count) for count in (found.interruptions, found.repeated, found.lost)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(policy: Policy, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "autoscaling"  # the same drawing for the same numbers
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for scenario in SCENARIOS:
        found = [mean_of(replace(policy, target=float(target)), scenario) for target in TARGETS]
        axes[0].plot(TARGETS, [run.p95_wait_seconds / 60 for run in found], marker=".", label=scenario.name)
        axes[1].plot(
            TARGETS, [run.host_hours / scenario.hours for run in found], marker=".", label=scenario.name
        )
    for axis, label in zip(axes, ("p95 wait, minutes", "hosts, mean over the scenario"), strict=True):
        axis.axvline(policy.target, color="grey", linestyle=":", linewidth=1)
        axis.set(xlabel="target: messages that may wait for each host", ylabel=label, ylim=(0, None))
        axis.legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path, required=True)
    docs = parser.parse_args().docs
    policy = of_the_template()
    page = docs / "autoscaling.md"
    before, _, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n{table(policy)}\n\n{spot_table(policy)}\n{END}{after}")
    draw(policy, docs / "images" / "autoscaling.svg")


if __name__ == "__main__":
    main()
