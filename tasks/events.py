"""Events for Flower, published off the path of the work.

Over SQS each publish is a call that blocks for some milliseconds, and Celery makes it in the worker's event
loop: that alone cost four fifths of the throughput. Here events go into a buffer, from which a thread sends
them: all that have come in the last half second as one message, in the form that Celery itself has for
batches. When nobody takes them the oldest are dropped: events tell of the work and are no part of it.
"""

import threading
from collections import deque
from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from celery.app import app_or_default
from celery.app.events import Events as CeleryEvents
from celery.events.dispatcher import EventDispatcher
from kombu import Producer
from kombu.exceptions import KombuError

log = structlog.get_logger(__name__)

SEND_EVERY_SECONDS = 0.5
BATCH_MOST = 100  # some 500 bytes each; SNS takes 256 KB
BUFFER_MOST = 10_000


class BackgroundDispatcher(EventDispatcher):
    """Sends what it is given from a thread of its own, over a connection of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._waiting: deque[dict[str, Any]] = deque(maxlen=BUFFER_MOST)
        self._wake_up = threading.Event()
        self._thread: threading.Thread | None = None
        super().__init__(*args, **kwargs)

    def _publish(self, event: Any, producer: Producer, routing_key: str, **options: Any) -> None:
        self._waiting.extend(event if isinstance(event, list) else [event])
        if self._thread is None:
            self._thread = threading.Thread(target=self._send_until_closed, daemon=True, name="events")
            self._thread.start()

    def close(self) -> None:
        super().close()
        self._wake_up.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def enable(self) -> None:
        self._wake_up.clear()
        self._thread = None
        super().enable()

    def _send_until_closed(self) -> None:
        with app_or_default(self.app).connection_for_write() as connection:
            is_over = False
            while not is_over:
                is_over = self._wake_up.wait(SEND_EVERY_SECONDS)
                while self._waiting and self._send_batch(connection):
                    pass

    def _send_batch(self, connection: Any) -> bool:
        batch = [self._waiting.popleft() for _ in range(min(BATCH_MOST, len(self._waiting)))]
        try:
            Producer(connection.default_channel, exchange=self.exchange, auto_declare=False).publish(
                batch,
                routing_key="task.multi",
                exchange=self.exchange.name,
                declare=[self.exchange],
                serializer=self.serializer,
                headers=self.headers,
                delivery_mode=self.delivery_mode,
            )
        except (BotoCoreError, ClientError, KombuError, OSError) as error:
            log.info("events_not_sent", count=len(batch), error=str(error))
            connection.collect()  # the next batch opens a new one
            return False
        return True


class Events(CeleryEvents):
    dispatcher_cls = "tasks.events:BackgroundDispatcher"
