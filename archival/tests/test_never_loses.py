"""Whatever happens in whatever order: the last good copy is never lost, and all ends in a clean state."""

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from annotations.models import Job, ResultState
from archival import archiving, thawing
from archival.audit import audit
from archival.storage import RetrievalOption
from archival.sweeping import sweep_results
from archival.tests.world import World
from billing.models import Customer

JOBS = st.integers(0, 2)
STEPS = st.integers(0, 12)
RESULT_TASKS = st.sampled_from(["archive", "thaw_job", "restore", "notify_returned", "schedule_archive"])
HAPPENINGS = st.sampled_from(
    [
        *("subscribe", "cancel", "bring back", "by hand"),
        *("sweep", "archive", "thaw_job", "restore", "audit"),
        *("time passes", "finish", "expire", "no capacity"),
    ]
)


class ResultsLife(RuleBasedStateMachine):
    """Three jobs of one user. Tasks run whole, die at a call, or have something happen between two calls."""

    user: Any
    sent: list[Any]

    @initialize()
    def begin(self) -> None:
        self.sent.clear()
        self.world = World(self.sent)
        self._in_place = self.world.in_place()
        self._in_place.__enter__()
        self.jobs = [self.world.job(self.user).job_id for _ in range(3)]
        self.world.wire.watch = self.all_have_their_results

    def all_have_their_results(self) -> None:
        for job_id in self.jobs:
            self.world.assert_has_its_result(job_id)

    @rule(task=RESULT_TASKS, job=JOBS)
    def run_task(self, task: str, job: int) -> None:
        self.world.run(task, self.jobs[job])
        self.all_have_their_results()

    @rule(task=RESULT_TASKS, job=JOBS, step=STEPS)
    def run_task_that_dies(self, task: str, job: int, step: int) -> None:
        self.world.wire.die_at(step)
        self.run_task(task, job)

    @rule(task=RESULT_TASKS, job=JOBS, step=STEPS, what=HAPPENINGS, other=JOBS)
    def run_task_while(self, task: str, job: int, step: int, what: str, other: int) -> None:
        self.world.wire.between(step, lambda: self.happen(what, other))
        self.run_task(task, job)

    @rule(job=JOBS, step=STEPS)
    def one_message_delivered_twice(self, job: int, step: int) -> None:
        tasks = self.world.tasks
        self.world.wire.between(step, lambda: tasks["tasks.archive"](self.jobs[job], "the same"))
        self.world.run("archive", self.jobs[job], "the same")
        self.world.wire.between(step, lambda: tasks["tasks.restore"](self.jobs[job], "the same"))
        self.world.run("restore", self.jobs[job], "the same")
        self.all_have_their_results()

    @rule(what=HAPPENINGS, job=JOBS)
    def happen(self, what: str, job: int) -> None:
        world, job_id = self.world, self.jobs[job]
        match what:
            case "subscribe":
                world.set_tier(self.user, "premium")
                thawing.thaw(self.user.pk)
            case "cancel":
                world.set_tier(self.user, "free")
                world.tasks["tasks.restart_retention"](str(self.user.pk))
            case "sweep":
                sweep_results()
            case "time passes":
                world.time_passes()
            case "bring back":
                thawing.bring_back(job_id)
            case "by hand":
                archiving.by_hand(job_id)
            case "finish":
                world.vault.finish()
            case "expire":
                world.vault.expire()
            case "no capacity":
                world.vault.capacity = {RetrievalOption.STANDARD}
            case "audit":
                audit(fix=True)
            case task:
                world.tasks[f"tasks.{task}"](job_id)

    @rule(drop=st.booleans())
    def messages_arrive_or_are_lost(self, drop: bool) -> None:
        if drop:
            self.sent.clear()
        self.world.run_sent()

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.end_well()
        finally:
            self._in_place.__exit__(None, None, None)
            Job.objects.all().delete()
            Customer.objects.all().delete()

    def end_well(self) -> None:
        self.sent.clear()
        for _ in range(20):
            self.world.vault.finish()
            self.world.time_passes()
            sweep_results()
            self.world.run_sent(also_delayed=True)
            if not Job.objects.filter(status="COMPLETED", archive_next_at__isnull=False).exists():
                break
        self.all_have_their_results()
        states = set(Job.objects.values_list("result_state", flat=True))
        assert states <= {ResultState.AVAILABLE, ResultState.ARCHIVED}
        assert {finding.remedy for finding in audit(fix=True).findings} <= {"delete it"}
        assert audit().findings == []
        self.all_have_their_results()


def test_no_order_of_events_loses_a_result(user: Any, sent_tasks: list[Any]) -> None:
    machine = type("Life", (ResultsLife,), {"user": user, "sent": sent_tasks})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(os.environ.get("LIFE_EXAMPLES", "6")),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
