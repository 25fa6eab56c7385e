"""kombu's SQS transport, mended where a broker in trouble takes a worker down.

kombu 5.7.0, the version that this was written against, reads each answer to ReceiveMessage as one that
succeeded or else as a bug:

- 5xx, a timeout or a refused connection arrives at `Channel._on_messages_ready` as a list, where a dict is
  expected: AttributeError ends the worker, or leaves it alive and deaf;
- any other status (throttling, a missing queue) raises a bare `Exception`, with the same two ends;
- so does a body that can't be read, and an empty one is asked again twenty times a second;
- botocore's ClientError is none of `connection_errors`: one 503 while a channel opens ends the worker, and a
  message is lost that is published just then.

Here all of these count as "no answer": the queue is asked again after a pause that grows. A queue that is
missing is made again, when the settings let this process make queues, else waited for.

`KOMBU_IS_MENDED` looks at what kombu does with such answers rather than at its version: when a release
handles them, this module's part in receiving switches itself off, and a test says that it can go.
"""

from types import SimpleNamespace
from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from kombu.asynchronous.aws.connection import AsyncAWSQueryConnection
from kombu.asynchronous.aws.sqs.connection import AsyncSQSConnection
from kombu.exceptions import KombuError
from kombu.transport import SQS

from tasks import life
from tasks.prompt import PromptChannel
from tasks.queues import QUEUE_NAMES
from tasks.sqs import make_queue

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS: float = 1
LONGEST_PAUSE_SECONDS: float = 8
MISSING = ("QueueDoesNotExist", "NonExistentQueue")  # of the JSON protocol, and of the older one


def pause_seconds(times: int) -> float:
    """How long a queue is left alone that has not answered so many times in a row.

    >>> [pause_seconds(times) for times in (1, 2, 3, 4, 500)]
    [1, 2, 4, 8, 8]
    """
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(times - 1, 10))


class NoAnswer(dict[str, Any]):
    """In the place of an answer without messages, where there was none to read."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason
        self.queue_is_missing = any(word in reason for word in MISSING)


class PatientConnection(AsyncSQSConnection):
    """Gives a `NoAnswer` where kombu's would raise, or give a list."""

    def _on_list_ready(self, parent: Any, markers: Any, operation: str, response: Any) -> Any:
        if response.status != self.STATUS_CODE_OK:
            body = (response.read() or b"").decode(errors="replace")[:200]
            return NoAnswer(f"HTTP {response.status} {response.reason} {body}".strip())
        if not response.read():
            return NoAnswer("an empty body")
        try:
            return super()._on_list_ready(parent, markers, operation, response)
        except (BotoCoreError, ValueError) as error:
            return NoAnswer(f"a body that can't be read: {error}")


class PatientChannel(PromptChannel):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._unanswered: dict[str, int] = {}  # times in a row, by queue
        self._missing: set[str] = set()
        super().__init__(*args, **kwargs)

    def asynsqs(self, queue: str | None = None) -> Any:
        if self._asynsqs is None:
            names = self.get_message_attributes
            self._asynsqs = PatientConnection(
                sqs_connection=self.sqs(queue=queue),
                region=self.region,
                message_system_attribute_names=names["MessageSystemAttributeNames"],
                message_attribute_names=names["MessageAttributeNames"],
            )
        return super().asynsqs(queue)

    def _schedule_queue(self, queue: str) -> None:
        if queue not in self._active_queues:
            life.forget(queue)
            return
        life.turned(queue)
        try:
            if queue in self._missing:
                self._make_again(queue)
                self._missing.discard(queue)
            super()._schedule_queue(queue)
        except (BotoCoreError, ClientError, KombuError) as error:
            self._no_answer(queue, NoAnswer(str(error)))
            self._loop1(queue)

    def _on_messages_ready(self, queue: str, qname: str, messages: Any) -> int:
        if isinstance(messages, NoAnswer):
            self._no_answer(qname, messages)
            return 0
        self._unanswered.pop(qname, None)
        received: int = super()._on_messages_ready(queue, qname, messages)
        return received

    def _no_answer(self, queue: str, answer: NoAnswer) -> None:
        log.warning("queue_not_answering", queue=queue, reason=answer.reason)
        self._unanswered[queue] = self._unanswered.get(queue, 0) + 1
        if answer.queue_is_missing:
            self._missing.add(queue)

    def _loop1(self, queue: str, messages_fetched: int | None = None) -> None:
        if times := self._unanswered.get(queue):
            self.hub.call_later(pause_seconds(times), self._schedule_queue, queue)
        else:
            super()._loop1(queue, messages_fetched)


def _kombu_is_mended() -> bool:
    """Whether kombu itself makes something of a 503 that its channel can go on with."""
    response = SimpleNamespace(status=503, reason="", read=lambda: b"", response=None)
    connection: Any = AsyncAWSQueryConnection.__new__(AsyncAWSQueryConnection)
    connection.sqs_connection = SimpleNamespace(meta=SimpleNamespace(service_model=None))
    try:
        answer = connection._on_list_ready(None, [], "ReceiveMessage", response)
        SQS.Channel._on_messages_ready(SQS.Channel.__new__(SQS.Channel), "", "", answer)
    except AttributeError:
        return False
    return True


KOMBU_IS_MENDED = _kombu_is_mended()


class Channel(PromptChannel if KOMBU_IS_MENDED else PatientChannel):
    """What the service runs on."""

    def _create_queue(self, queue_name: str, attributes: dict[str, str]) -> Any:
        name = queue_name.removeprefix(self.queue_name_prefix)
        if name in QUEUE_NAMES:
            # kombu would make it without its dead-letter queue.
            url = make_queue(self.sqs(), self.queue_name_prefix, name, self.visibility_timeout)
            return {"QueueUrl": url}
        return super()._create_queue(queue_name, attributes)

    def _put(self, queue: str, message: dict[str, Any], **options: Any) -> None:
        if not message.get("redelivered"):
            super()._put(queue, message, **options)
            return
        # Given back by a worker that stops, or that lost the task's process. kombu would hide it for a while.
        self.sqs().change_message_visibility(
            QueueUrl=self._new_queue(queue),
            ReceiptHandle=message["properties"]["delivery_tag"],
            VisibilityTimeout=0,
        )


class Transport(SQS.Transport):
    Channel = Channel
    # What botocore could not get done may be tried again, like anything that a connection breaks off.
    connection_errors = (*SQS.Transport.connection_errors, ClientError)
    implements = SQS.Transport.implements.extend(exchange_type=frozenset(["direct", "fanout"]))
