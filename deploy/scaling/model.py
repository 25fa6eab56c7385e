"""A discrete-event model of the annotators: jobs arrive, wait, are worked on by hosts that come and go.

What Auto Scaling does is modelled after its documentation: a target-tracking policy makes two alarms. The
high one looks at three minutes of the metric above the target, and asks for as many hosts as would bring it
to the target; the low one at fifteen minutes below nine tenths of it, and takes hosts away more carefully.
Metrics of SQS are a minute old. A host that starts takes boot time until it takes jobs, and counts for the
policy after its warm-up; a host that goes finishes its jobs first (`drains`), as the lifecycle hook has it.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
"""

import math
import random
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import simpy

from deploy.scaling.policy import Policy

JOBS_AT_ONCE = 2  # of a host: its cores
BOOT_SECONDS = 150  # launch, release, references, worker
MINUTE = 60
HIGH_MINUTES, LOW_MINUTES = 3, 15
LOW_SHARE = 0.9
SPREAD = 0.9  # of the logarithm of task times: the longest tenth takes three times the median and more

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
    """`waits` in seconds, one for each job; `host_hours` as they are paid for."""

    waits: list[float] = field(default_factory=list)
    killed: int = 0
    host_hours: float = 0.0
    most_hosts: int = 0

    @property
    def p95_wait_seconds(self) -> float:
        ordered = sorted(self.waits)
        return ordered[math.ceil(0.95 * len(ordered)) - 1]


class _Host:
    def __init__(self, launched_at: float) -> None:
        self.launched_at = launched_at
        self.is_leaving = False
        self.busy = 0


class Fleet:
    """One run of the model."""

    def __init__(self, policy: Policy, scenario: Scenario, seed: int, *, drains: bool = True) -> None:
        self.env = simpy.Environment()
        self.outcome = Outcome()
        self._policy, self._scenario, self._drains = policy, scenario, drains
        self._random = random.Random(seed)  # noqa: S311  a model needs no secrets
        self._queue: deque[float] = deque()  # when each waiting job arrived
        self._hosts: list[_Host] = []
        self._wake = self.env.event()

    def run(self) -> Outcome:
        for _ in range(self._policy.hosts_at_least):
            self._launch(boot_seconds=0)
        self.env.process(self._arrive())
        self.env.process(self._scale())
        self.env.run(until=self._scenario.hours * 3600)
        for host in self._hosts:
            self._pay(host)
        return self.outcome

    def _arrive(self) -> Generator[simpy.Event, None, None]:
        """A Poisson process whose rate changes, by thinning one of the highest rate."""
        while True:
            yield self.env.timeout(self._random.expovariate(self._scenario.most_a_second))
            if self._random.random() * self._scenario.most_a_second < self._scenario.arrivals(self.env.now):
                self._queue.append(self.env.now)
                self._tell()

    def _launch(self, boot_seconds: float) -> None:
        host = _Host(self.env.now)
        self._hosts.append(host)
        self.outcome.most_hosts = max(self.outcome.most_hosts, len(self._hosts))
        for _ in range(JOBS_AT_ONCE):
            self.env.process(self._work(host, boot_seconds))

    def _work(self, host: _Host, boot_seconds: float) -> Generator[simpy.Event, None, None]:
        yield self.env.timeout(boot_seconds)
        while not host.is_leaving:
            if not self._queue:
                yield self._wake
                continue
            arrived_at = self._queue.popleft()
            self.outcome.waits.append(self.env.now - arrived_at)
            host.busy += 1
            yield self.env.timeout(self._task_seconds())
            host.busy -= 1
        if host in self._hosts and not host.busy:
            self._leave(host)

    def _task_seconds(self) -> float:
        return self._random.lognormvariate(math.log(self._policy.mean_task_seconds) - SPREAD**2 / 2, SPREAD)

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

    def _is_warming(self, hosts: list[_Host]) -> bool:
        """Hosts that were asked for are awaited before more are; those of the beginning are warm."""
        return any(0 < host.launched_at > self.env.now - self._policy.warmup_seconds for host in hosts)

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
        for host in in_service[: len(in_service) - wanted]:  # the oldest first
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
        self.outcome.host_hours += (self.env.now - host.launched_at) / 3600

    def _tell(self) -> None:
        self._wake.succeed()
        self._wake = self.env.event()
