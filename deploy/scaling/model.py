"""A discrete-event model of the annotators: jobs arrive, wait, are worked on by hosts that come and go.

What Auto Scaling does is modelled after its documentation: a target-tracking policy makes two alarms. The
high one looks at three minutes of the metric above the target, and asks for as many hosts as would bring it
to the target; the low one at fifteen minutes below nine tenths of it, and takes hosts away more carefully.
Metrics of SQS are a minute old. A host that starts takes boot time until it takes jobs, and counts for the
policy after its warm-up; a host that goes finishes its jobs first (`drains`), as the lifecycle hook has it.
A spot host that is interrupted has two minutes; what it has not finished by then it gives back to the queue.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
"""

import math
import random
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from functools import partial

import simpy

from deploy.scaling.mix import MIX, Kind
from deploy.scaling.policy import Policy

JOBS_AT_ONCE = 2  # of a host: its cores
BOOT_SECONDS = 150  # launch, release, references, worker
MINUTE = 60
HIGH_MINUTES, LOW_MINUTES = 3, 15
LOW_SHARE = 0.9
SPREAD = 0.5  # of the logarithm of a task's time around what its kind takes
REST_SECONDS = 3600  # in which what was begun is finished; it is not paid for
VISIBILITY_SECONDS = 120  # after which SQS gives a message to another, of tasks/queues.py

Arrivals = Callable[[float], float]  # jobs a second, at a time in seconds


@dataclass(frozen=True)
class Scenario:
    """`most_a_second` bounds the rate of arrivals."""

    name: str
    arrivals: Arrivals
    most_a_second: float
    hours: float


@dataclass
class Outcome:
    """`waits` in seconds until a job was begun, one for each; `host_hours` as they are paid for.

    `repeated` tasks were on hosts that went too soon, and were done anew. `lost` jobs were never finished,
    though the fleet had time enough after the scenario's end.
    """

    waits: list[float] = field(default_factory=list)
    arrived: int = 0
    finished: int = 0
    killed: int = 0
    interruptions: int = 0
    repeated: int = 0
    host_hours: float = 0.0
    spot_hours: float = 0.0
    most_hosts: int = 0

    @property
    def lost(self) -> int:
        return self.arrived - self.finished

    @property
    def p95_wait_seconds(self) -> float:
        ordered = sorted(self.waits)
        return ordered[math.ceil(0.95 * len(ordered)) - 1]


@dataclass
class _Task:
    """`arrived_at` is None for shards, and for what is done anew: they are no job's beginning."""

    seconds: float
    done: Callable[[], None]
    arrived_at: float | None = None


class _Host:
    def __init__(self, launched_at: float, *, is_spot: bool, gone: simpy.Event) -> None:
        self.launched_at = launched_at
        self.is_spot = is_spot
        self.is_leaving = False
        self.busy = 0
        self.gone = gone  # it happens when AWS takes the host away


class Fleet:
    """One run of the model."""

    def __init__(self, policy: Policy, scenario: Scenario, seed: int, *, drains: bool = True) -> None:
        self.env = simpy.Environment()
        self.outcome = Outcome()
        self._policy, self._scenario, self._drains = policy, scenario, drains
        self._random = random.Random(seed)  # noqa: S311  a model needs no secrets
        self._queue: deque[_Task] = deque()
        self._hosts: list[_Host] = []
        self._wake = self.env.event()
        self._ends_at = scenario.hours * 3600

    def run(self) -> Outcome:
        for _ in range(self._policy.hosts_at_least):
            self._launch(boot_seconds=0)
        self.env.process(self._arrive())
        self.env.process(self._scale())
        self.env.run(until=self._ends_at)
        for host in self._hosts:
            self._pay(host)
        paid = replace(self.outcome)
        self.env.run(until=self._ends_at + REST_SECONDS)
        return replace(self.outcome, host_hours=paid.host_hours, spot_hours=paid.spot_hours)

    def _arrive(self) -> Generator[simpy.Event, None, None]:
        """A Poisson process whose rate changes, by thinning one of the highest rate."""
        while self.env.now < self._ends_at:
            yield self.env.timeout(self._random.expovariate(self._scenario.most_a_second))
            if self._random.random() * self._scenario.most_a_second < self._scenario.arrivals(self.env.now):
                (kind,) = self._random.choices(MIX, [kind.share for kind in MIX])
                self.outcome.arrived += 1
                self._put(_Task(kind.seconds, partial(self._divide, kind), self.env.now))

    def _put(self, task: _Task) -> None:
        self._queue.append(task)
        self._tell()

    def _divide(self, kind: Kind) -> None:
        """The first task of a job is done: it is finished, or its shards come now."""
        left = kind.shards

        def shard_done() -> None:
            nonlocal left
            left -= 1
            if not left:
                self._put(_Task(kind.join_seconds, self._finish))

        if not kind.shards:
            self._finish()
        for _ in range(kind.shards):
            self._put(_Task(kind.shard_seconds, shard_done))

    def _finish(self) -> None:
        self.outcome.finished += 1

    def _launch(self, boot_seconds: float) -> None:
        is_spot = self._policy.is_spot and len(self._hosts) >= self._policy.hosts_on_demand
        host = _Host(self.env.now, is_spot=is_spot, gone=self.env.event())
        self._hosts.append(host)
        self.outcome.most_hosts = max(self.outcome.most_hosts, len(self._hosts))
        if is_spot and self._policy.interruptions_an_hour:
            self.env.process(self._interrupt(host))
        for _ in range(JOBS_AT_ONCE):
            self.env.process(self._work(host, boot_seconds))

    def _work(self, host: _Host, boot_seconds: float) -> Generator[simpy.Event, None, None]:
        yield self.env.timeout(boot_seconds)
        while not host.is_leaving:
            if not self._queue:
                yield self._wake
                continue
            task = self._queue.popleft()
            if task.arrived_at is not None:
                self.outcome.waits.append(self.env.now - task.arrived_at)
            host.busy += 1
            done = self.env.timeout(task.seconds * self._random.lognormvariate(-(SPREAD**2) / 2, SPREAD))
            yield done | host.gone
            host.busy -= 1
            if done.processed:
                task.done()
            else:
                self.outcome.repeated += 1
                self.env.process(self._give_back(replace(task, arrived_at=None)))
        if host in self._hosts and not host.busy:
            self._leave(host)

    def _give_back(self, task: _Task) -> Generator[simpy.Event, None, None]:
        """At once by a host that had notice; else SQS does it. Such a message is among the oldest."""
        yield self.env.timeout(0 if self._policy.notice_seconds else VISIBILITY_SECONDS)
        self._queue.appendleft(task)
        self._tell()

    def _interrupt(self, host: _Host) -> Generator[simpy.Event, None, None]:
        """Auto Scaling starts another at the notice, as the group's CapacityRebalance has it."""
        yield self.env.timeout(self._random.expovariate(self._policy.interruptions_an_hour / 3600))
        if host not in self._hosts or host.is_leaving:
            return
        self.outcome.interruptions += 1
        host.is_leaving = True
        self._launch(BOOT_SECONDS)
        self._tell()
        yield self.env.timeout(self._policy.notice_seconds)
        host.gone.succeed()

    def _scale(self) -> Generator[simpy.Event, None, None]:
        measured: deque[float] = deque(maxlen=LOW_MINUTES + 1)
        while True:
            yield self.env.timeout(MINUTE)
            in_service = [host for host in self._hosts if not host.is_leaving]
            measured.append(len(self._queue) / max(1, len(in_service)))
            seen = list(measured)[:-1]  # the newest is still on its way
            warming = any(
                self.env.now - host.launched_at < self._policy.warmup_seconds for host in in_service
            )
            if self._is_high(seen) and not (warming and self.env.now > self._policy.warmup_seconds):
                self._scale_out(len(in_service), seen[-1])
            elif self._is_low(seen):
                self._scale_in(in_service, seen[-1])
                measured.clear()

    def _is_high(self, seen: list[float]) -> bool:
        last = seen[-HIGH_MINUTES:]
        return len(last) == HIGH_MINUTES and min(last) > self._policy.target

    def _is_low(self, seen: list[float]) -> bool:
        last = seen[-LOW_MINUTES:]
        return len(last) == LOW_MINUTES and max(last) < LOW_SHARE * self._policy.target

    def _scale_out(self, hosts: int, backlog: float) -> None:
        wanted = min(self._policy.hosts_at_most, math.ceil(hosts * backlog / self._policy.target))
        for _ in range(wanted - hosts):
            self._launch(BOOT_SECONDS)

    def _scale_in(self, in_service: list[_Host], backlog: float) -> None:
        wanted = max(
            self._policy.hosts_at_least,
            math.ceil(len(in_service) * max(backlog / self._policy.target, 0.5)),  # never more than half
        )
        for host in _those_to_go(in_service, len(in_service) - wanted):
            host.is_leaving = True
            if not self._drains:
                self.outcome.killed += host.busy
            if not self._drains or not host.busy:
                self._leave(host)
        self._tell()

    def _leave(self, host: _Host) -> None:
        if host in self._hosts:
            self._hosts.remove(host)
            self._pay(host)

    def _pay(self, host: _Host) -> None:
        hours = (self.env.now - host.launched_at) / 3600
        self.outcome.host_hours += hours
        self.outcome.spot_hours += hours if host.is_spot else 0

    def _tell(self) -> None:
        self._wake.succeed()
        self._wake = self.env.event()


def _those_to_go(hosts: list[_Host], count: int) -> list[_Host]:
    """Spot hosts first, which are what the group has beyond its base; of each the oldest."""
    return sorted(hosts, key=lambda host: not host.is_spot)[:count]
