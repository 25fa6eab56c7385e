"""kombu's SQS transport, mended where it takes a worker down.

In kombu 5.7.0 an answer of 5xx to ReceiveMessage, or none, arrives at `Channel._on_messages_ready` as an
empty list, where a dict is expected: AttributeError ends the worker, or leaves it alive and deaf. Here it
counts as an empty answer, and the next try waits a little, so that a broker in trouble is not asked twenty
times a second.
"""

from typing import Any

import structlog
from kombu.transport import SQS

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 1


class Channel(SQS.Channel):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._unanswered: set[str] = set()
        super().__init__(*args, **kwargs)

    def _on_messages_ready(self, queue: str, qname: str, messages: Any) -> int:
        if not isinstance(messages, dict):
            log.warning("queue_not_answering", queue=qname)
            self._unanswered.add(qname)
            return 0
        received: int = super()._on_messages_ready(queue, qname, messages)
        return received

    def _loop1(self, queue: str, messages_fetched: int | None = None) -> None:
        if queue in self._unanswered:
            self._unanswered.discard(queue)
            self.hub.call_later(PAUSE_SECONDS, self._schedule_queue, queue)
        else:
            super()._loop1(queue, messages_fetched)


class Transport(SQS.Transport):
    Channel = Channel
