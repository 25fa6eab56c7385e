"""Events and remote control over SNS and SQS: what lets Flower, `celery inspect` and `celery control` work.

kombu 5.7.0 can fan a message out through an SNS topic to every queue subscribed to it, but nothing of
Celery's reaches that out of the box:

- the event exchange is a topic, which SQS has not: here it is declared as a fanout;
- a queue that is read without acknowledging deletes through the event loop, which only a worker has: here by
  a plain call;
- the reply to `inspect` is routed by bindings that only the asking process knows: here straight to the queue
  whose name the question bears (`Mailbox`);
- nothing removes the queue and the subscription of a process that ends.

The queues made here (control queues) belong to one process each. Their names are never used twice, because
SQS refuses a name for a minute after its deletion, and because a `shutdown` that was sent while a worker was
down must not reach the next one. They keep messages for a minute, and go when their channel closes or their
process ends. For processes that are killed each bears a tag with the time of its owner's last sign of life,
by which `remove_abandoned` knows them.
"""

import atexit
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from celery.app.control import Control as CeleryControl
from kombu import Queue
from kombu.pidbox import Mailbox as KombuMailbox
from kombu.transport.SQS.exceptions import DoesNotExistQueueException

from tasks.clients import SharingChannel

log = structlog.get_logger(__name__)

EVENTS = "celeryev"
MAILBOX = "pidbox"
REPLIES = "reply"
KEPT_SECONDS = 60  # the shortest that SQS allows
ALIVE_TAG = "alive-at"
ALIVE_EVERY_SECONDS = 300
ABANDONED_AFTER_SECONDS = 1800


def is_control_queue(name: str) -> bool:
    """Whether a queue, by Celery's name for it or by that on SQS, is made here for one process.

    >>> [is_control_queue(name) for name in ("annotate", "gas-default-dead", "gas-celeryev-1f")]
    [False, False, True]
    """
    return name.endswith(MAILBOX) or EVENTS in name


@dataclass(frozen=True)
class _Owned:
    """A control queue of this process, and what is needed to remove it without a channel."""

    url: str
    sqs: Any
    sns: Any
    subscription: str | None
    process_id: int


class _Ownership:
    """The control queues of this process: kept alive by a thread, removed at its end."""

    def __init__(self) -> None:
        self._owned: dict[str, _Owned] = {}
        self._lock = threading.Lock()
        self._keeper: threading.Thread | None = None

    def add(self, queue: _Owned) -> None:
        with self._lock:
            self._owned[queue.url] = queue
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep_alive, daemon=True, name="control-queues")
                self._keeper.start()
                atexit.register(self.remove_all)

    def remove(self, url: str) -> None:
        """Raises botocore's errors."""
        with self._lock:
            queue = self._owned.pop(url, None)
        # A process that was forked has inherited the list, and owns nothing on it.
        if queue is None or queue.process_id != os.getpid():
            return
        if queue.subscription:
            queue.sns.unsubscribe(SubscriptionArn=queue.subscription)
        queue.sqs.delete_queue(QueueUrl=url)

    def remove_all(self) -> None:
        """At the process's end, when there is no log any more."""
        with suppress(BotoCoreError, ClientError):  # `remove_abandoned` will do it
            for url in list(self._owned):
                self.remove(url)

    def _keep_alive(self) -> None:
        pause = threading.Event()
        while not pause.wait(ALIVE_EVERY_SECONDS):
            for queue in list(self._owned.values()):
                try:
                    queue.sqs.tag_queue(QueueUrl=queue.url, Tags=_alive_now())
                except (BotoCoreError, ClientError) as error:
                    log.info("control_queue_not_tagged", url=queue.url, error=str(error))


ownership = _Ownership()


class FanoutChannel(SharingChannel):
    """A channel whose control queues come, work and go without leaving anything behind."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._going_with_me: set[str] = set()
        super().__init__(*args, **kwargs)

    def basic_consume(self, queue: str, *args: Any, **kwargs: Any) -> Any:
        # The queue for replies stays until the process ends: it may ask again, over another channel.
        if is_control_queue(queue) and f".{REPLIES}." not in queue:
            self._going_with_me.add(queue)
        return super().basic_consume(queue, *args, **kwargs)

    def exchange_declare(self, exchange: str | None = None, type: str = "direct", **options: Any) -> None:
        if exchange == EVENTS:
            type = "fanout"
        super().exchange_declare(exchange, type=type, **options)

    def _create_queue(self, queue_name: str, attributes: dict[str, str]) -> Any:
        if not is_control_queue(queue_name):
            return super()._create_queue(queue_name, attributes)
        attributes["MessageRetentionPeriod"] = str(KEPT_SECONDS)
        return self.sqs().create_queue(QueueName=queue_name, Attributes=attributes, tags=_alive_now())

    def _new_queue(self, queue: str, **options: Any) -> str:
        is_new = self.canonical_queue_name(queue) not in self._queue_cache
        url = str(super()._new_queue(queue, **options))
        if is_new and is_control_queue(queue):
            ownership.add(_Owned(url, self.sqs(), None, None, os.getpid()))
        return url

    def _subscribe_queue_to_fanout_exchange_if_required(self, queue_name: str) -> None:
        super()._subscribe_queue_to_fanout_exchange_if_required(queue_name)
        cached = self.fanout.subscriptions._subscription_arn_cache
        subscription = next((arn for key, arn in cached.items() if key.endswith(f":{queue_name}")), None)
        if subscription:
            url = self._new_queue(queue_name)
            ownership.add(_Owned(url, self.sqs(), self.fanout.get_client(), subscription, os.getpid()))

    def _make_again(self, queue: str) -> None:
        """The queue is missing: make it, and its subscription, once more."""
        self._queue_cache.pop(self.canonical_queue_name(queue), None)
        self._fanout = None
        self._new_queue(queue)
        exchange = self._get_exchange_for_queue(queue)
        if self._exchange_is_fanout(exchange):
            self.fanout.initialise_exchange(exchange)
            self._subscribe_queue_to_fanout_exchange_if_required(queue)
        log.info("queue_made_again", queue=queue)

    def _put(self, queue: str, message: dict[str, Any], **options: Any) -> None:
        if is_control_queue(queue):
            try:
                self._resolve_queue_url(queue)
            except DoesNotExistQueueException:
                return  # a reply to somebody who has not waited for it
        super()._put(queue, message, **options)

    def _delete_message(self, queue_name: str, message: dict[str, Any]) -> None:
        self.sqs().delete_message(
            QueueUrl=self._new_queue(queue_name), ReceiptHandle=message["ReceiptHandle"]
        )

    def after_reply_message_received(self, queue: str) -> None:
        """kombu would delete the queue, and could not make it again for the next question for a minute."""

    def close(self) -> None:
        urls = [self._queue_cache.get(self.canonical_queue_name(name)) for name in self._going_with_me]
        self._going_with_me.clear()
        super().close()
        for url in filter(None, urls):
            try:
                ownership.remove(url)
            except (BotoCoreError, ClientError) as error:
                log.info("control_queue_not_removed", url=url, error=str(error))


class Mailbox(KombuMailbox):
    """Control queues of names that are used once, and replies that find their way over any broker."""

    def get_queue(self, hostname: str) -> Queue:
        queue = super().get_queue(hostname)
        queue.name = f"{uuid4().hex[:12]}.{queue.name}"
        return queue

    def _publish_reply(
        self, reply: Any, exchange: Any, routing_key: str, ticket: str, *more: Any, **options: Any
    ) -> None:
        super()._publish_reply(reply, "", f"{routing_key}.{exchange}", ticket, *more, **options)


class Control(CeleryControl):
    Mailbox = Mailbox


def remove_abandoned(sqs: Any, prefix: str, now_seconds: float | None = None) -> int:
    """Delete control queues whose owner was killed; how many there were. Raises botocore's errors.

    `sqs`: a boto3 client. A queue's subscription goes when the next process binds to its topic (kombu looks
    for those that lead nowhere).
    """
    limit = (time.time() if now_seconds is None else now_seconds) - ABANDONED_AFTER_SECONDS
    removed = 0
    for page in sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix):
        for url in filter(is_control_queue, page.get("QueueUrls", [])):
            alive_at = sqs.list_queue_tags(QueueUrl=url).get("Tags", {}).get(ALIVE_TAG)
            if alive_at and int(alive_at) < limit:
                sqs.delete_queue(QueueUrl=url)
                removed += 1
    return removed


def _alive_now() -> dict[str, str]:
    return {ALIVE_TAG: str(int(time.time()))}
