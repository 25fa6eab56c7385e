"""A worker that was full asks for the next message as soon as it has room.

kombu 5.7.0 looks every `polling_interval` whether a full worker has room again. That is a pause after each
task, which limits a worker of a process or two to some ten short tasks a second, whatever the broker could
give. Here what makes room (a message acknowledged or rejected) has the queues asked at once. A look each
second stays, for room that comes otherwise, as when the pool grows.
"""

from typing import Any

from tasks.fanout import FanoutChannel

LOOK_AGAIN_SECONDS = 1.0


class PromptChannel(FanoutChannel):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._no_room_for: dict[str, object] = {}  # queue → the wait that counts; older ones are over
        super().__init__(*args, **kwargs)

    def _schedule_queue(self, queue: str) -> None:
        if queue not in self._active_queues or self.qos.can_consume():
            super()._schedule_queue(queue)
            return
        wait = self._no_room_for[queue] = object()
        self.hub.call_later(LOOK_AGAIN_SECONDS, self._look_again, queue, wait)

    def _look_again(self, queue: str, wait: object) -> None:
        if self._no_room_for.get(queue) is wait:  # else it was asked meanwhile: two loops would ask twice
            del self._no_room_for[queue]
            self._schedule_queue(queue)

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        try:
            super().basic_ack(delivery_tag, multiple)
        finally:
            self._ask_for_more()

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().basic_reject(delivery_tag, requeue)
        finally:
            self._ask_for_more()

    def _ask_for_more(self) -> None:
        waiting, self._no_room_for = self._no_room_for, {}
        for queue in waiting:
            # Not `call_soon`: Celery acknowledges in a callback of that kind, and what such a callback adds
            # waits until something else wakes the loop.
            self.hub.call_later(0, self._schedule_queue, queue)
