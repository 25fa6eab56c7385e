"""The policy that is deployed gets the annotators through the days that it was chosen for."""

from dataclasses import replace

import pytest

from deploy.reading import template
from deploy.scaling.__main__ import BEGIN, END, spot_table, table
from deploy.scaling.mix import MEAN_WORK_SECONDS, MIX
from deploy.scaling.model import JOBS_AT_ONCE, Fleet, Scenario
from deploy.scaling.policy import of_the_template
from deploy.scaling.scenarios import PROJECT, SCENARIOS
from gas_project.environment import BASE_DIR, Environment

BOUNDS = {  # p95 wait in seconds, hosts on average
    "steady day": (10, 2.1),
    "12x burst": (120, 2.7),
    "class of 100": (60, 2.2),
}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario.name))
def test_waits_and_costs_stay_in_bounds_and_no_job_is_killed(scenario: Scenario) -> None:
    outcome = Fleet(of_the_template(), scenario, seed=7).run()
    wait_seconds, hosts = BOUNDS[scenario.name]
    assert outcome.p95_wait_seconds < wait_seconds
    assert outcome.host_hours / scenario.hours < hosts
    assert outcome.killed == outcome.lost == 0
    assert outcome.most_hosts <= of_the_template().hosts_at_most


def test_a_host_that_does_not_finish_its_jobs_kills_some() -> None:
    """Else the model would say nothing about draining."""
    busy = Scenario("up and down", lambda seconds: 1.0 if seconds % 7200 < 1800 else 0.06, 1.0, hours=8)
    kills = [Fleet(of_the_template(), busy, seed, drains=False).run().killed for seed in range(4)]
    assert sum(kills) > 0
    assert Fleet(of_the_template(), busy, 0).run().killed == 0


def test_a_lower_target_waits_less_and_costs_more() -> None:
    policy, burst = of_the_template(), SCENARIOS[1]
    low, high = (Fleet(replace(policy, target=target), burst, seed=7).run() for target in (2.0, 60.0))
    assert low.p95_wait_seconds < high.p95_wait_seconds
    assert low.host_hours > high.host_hours


def test_the_mean_work_of_a_job_is_that_of_the_mix() -> None:
    assert sum(kind.share for kind in MIX) == pytest.approx(1)
    assert of_the_template().mean_task_seconds == pytest.approx(MEAN_WORK_SECONDS, abs=1)


@pytest.mark.parametrize("notice_seconds", [0.0, 120.0])
def test_no_job_is_lost_when_spot_hosts_are_taken_away(notice_seconds: float) -> None:
    policy = replace(
        of_the_template(), is_spot=True, interruptions_an_hour=4.0, notice_seconds=notice_seconds
    )
    outcome = Fleet(policy, PROJECT, seed=7).run()
    assert outcome.interruptions > 10
    assert outcome.lost == 0
    # A task is shorter than the notice, so only hosts that go without one have their tasks done anew.
    assert (outcome.repeated > 0) == (notice_seconds == 0)
    on_demand = Fleet(of_the_template(), PROJECT, seed=7).run()
    assert outcome.p95_wait_seconds < 2 * on_demand.p95_wait_seconds


def test_the_first_two_hosts_are_never_spot() -> None:
    policy = replace(of_the_template(), is_spot=True, interruptions_an_hour=60.0)
    outcome = Fleet(policy, SCENARIOS[0], seed=7).run()
    assert outcome.spot_hours == outcome.interruptions == 0


def test_the_model_works_as_many_jobs_at_once_as_a_host() -> None:
    assert Environment.model_fields["worker_concurrency"].default == JOBS_AT_ONCE
    default = template("workers")["Parameters"]["InstanceTypes"]["Default"]
    assert all(kind.endswith(".large") for kind in default.split(","))  # two cores


def test_the_page_has_the_models_table() -> None:
    page = (BASE_DIR / "docs" / "autoscaling.md").read_text()
    written = page.partition(BEGIN)[2].partition(END)[0]
    assert table(of_the_template()) in written, "make autoscaling"
    assert spot_table(of_the_template()) in written, "make autoscaling"
