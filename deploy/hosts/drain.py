"""Let a worker finish its jobs before its host goes.

`watch` waits until Auto Scaling, or the owner of spot capacity, wants the host back: the instance's metadata
says so. It stops the worker, which takes nothing new from then on, tells Auto Scaling every now and then that
it still works, and when all jobs are done, that the host may go.

`finish` is how gas-worker.service stops: SIGTERM, and the worker ends after its last job. When the time is
over, SIGQUIT: it gives its jobs back to their queues, where others see them at once.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

WORKER = "gas-worker.service"
METADATA = os.environ.get("METADATA_ADDRESS", "http://169.254.169.254")
LOOK_EVERY_SECONDS = 5
HEARTBEAT_EVERY_SECONDS = 100  # a third of the hook's timeout
FINISH_SECONDS = 3600  # longer than any task may take
SPOT_SECONDS = 80  # of the two minutes between the notice and the end
GIVE_BACK_SECONDS = 30


class Metadata:
    """What the host can know about itself (IMDSv2)."""

    def __init__(self, address: str = METADATA) -> None:
        self._address = address

    def read(self, path: str) -> str:
        """Empty when there is nothing of this name."""
        request = urllib.request.Request(  # noqa: S310  an address of this machine
            f"{self._address}/latest/api/token",
            method="PUT",
            headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"},
        )
        with urllib.request.urlopen(request, timeout=3) as answer:  # noqa: S310
            token = answer.read().decode()
        request = urllib.request.Request(  # noqa: S310
            f"{self._address}/latest/meta-data/{path}", headers={"X-aws-ec2-metadata-token": token}
        )
        try:
            with urllib.request.urlopen(request, timeout=3) as answer:  # noqa: S310
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return ""
            raise

    def seconds_left(self) -> int | None:
        """How long jobs may go on; None as long as nobody wants the host back."""
        if self.read("spot/instance-action"):
            return SPOT_SECONDS
        if self.read("autoscaling/target-lifecycle-state") == "Terminated":
            return FINISH_SECONDS
        return None


class Systemd:
    """The worker's service."""

    def begin_stop(self) -> None:
        _systemctl("stop", "--no-block", WORKER)

    def give_back(self) -> None:
        _systemctl("kill", "--signal=SIGQUIT", "--kill-whom=main", WORKER)

    def is_active(self) -> bool:
        state = _systemctl("show", "--property=ActiveState", "--value", WORKER)
        return state in {"active", "deactivating", "activating", "reloading"}


def _systemctl(*arguments: str) -> str:
    done = subprocess.run(
        ["/usr/bin/systemctl", *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout.strip()


@dataclass
class Hook:
    """The lifecycle hook that keeps Auto Scaling waiting."""

    client: Any
    group: str
    name: str
    instance_id: str

    def heartbeat(self) -> None:
        self._say(self.client.record_lifecycle_action_heartbeat)

    def complete(self) -> None:
        self._say(self.client.complete_lifecycle_action, LifecycleActionResult="CONTINUE")

    def _say(self, call: Callable[..., Any], **more: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            call(
                AutoScalingGroupName=self.group,
                LifecycleHookName=self.name,
                InstanceId=self.instance_id,
                **more,
            )
        except (BotoCoreError, ClientError) as error:
            # A host that spot takes away may be in no hook; in one, it is let go when the hook times out.
            print(f"the lifecycle hook does not listen: {error}", file=sys.stderr)


def drain(
    worker: Any,
    hook: Any,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Stop the worker, for `seconds` as long as its jobs take, and let the host go."""
    began = heard = clock()
    gave_back = False
    worker.begin_stop()
    while worker.is_active():
        if clock() - began > seconds and not gave_back:
            worker.give_back()
            gave_back = True
        if clock() - heard > HEARTBEAT_EVERY_SECONDS:
            hook.heartbeat()
            heard = clock()
        sleep(1)
    hook.complete()


def finish(process_id: int, seconds: float) -> bool:
    """Whether the process ended by itself within `seconds`; else it was told to give its jobs back."""
    for number, wait_seconds in ((signal.SIGTERM, seconds), (signal.SIGQUIT, GIVE_BACK_SECONDS)):
        try:
            os.kill(process_id, number)
        except ProcessLookupError:
            return True
        if _ended(process_id, wait_seconds):
            return number == signal.SIGTERM
    return False  # systemd ends what is left


def _ended(process_id: int, wait_seconds: float) -> bool:
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline:
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.2)
    return False


def watch(group: str, hook_name: str) -> None:
    import boto3
    from botocore.config import Config

    metadata = Metadata()
    while (seconds := metadata.seconds_left()) is None:
        time.sleep(LOOK_EVERY_SECONDS)
    client = boto3.client("autoscaling", config=Config(connect_timeout=5, read_timeout=10))
    print(f"the host is wanted back; jobs have {seconds} seconds", flush=True)
    drain(Systemd(), Hook(client, group, hook_name, metadata.read("instance-id")), seconds)
    while True:  # systemd would start this anew
        time.sleep(3600)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command")
    watching = commands.add_parser("watch")
    watching.add_argument("--group", required=True)
    watching.add_argument("--hook", required=True)
    finishing = commands.add_parser("finish")
    finishing.add_argument("--pid", type=int, required=True)
    finishing.add_argument("--seconds", type=float, default=FINISH_SECONDS)
    options = parser.parse_args()
    if options.command == "watch":
        watch(options.group, options.hook)
    else:
        finish(options.pid, options.seconds)


if __name__ == "__main__":
    main()
