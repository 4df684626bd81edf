"""The load: senders that deliver as Stripe does, each event again until it is acknowledged."""

import json
import time
from collections import deque
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

from service.sandbox.endpoints import Endpoint
from service.sandbox.postman import Postman
from tests.chaos.ledger import Ledger

SENDERS = 6
TIMEOUT_SECONDS = 3.0
RETRY_SECONDS = 0.1
"""Stripe waits minutes; the shorter the pause, the more deliveries meet the fault."""

TWICE_EVERY = 9
"""One event in so many is delivered once more although it was acknowledged."""


class Load:
    """Delivers events once, from several threads at a time, and notes every answer."""

    def __init__(
        self, endpoint: Endpoint, ledger: Ledger, events: Sequence[dict[str, Any]]
    ) -> None:
        self.event_ids = [str(event["id"]) for event in events]
        self._endpoint = endpoint
        self._ledger = ledger
        self._waiting = deque(events)
        self._postman = Postman(timeout=TIMEOUT_SECONDS)
        self._stopped = Event()
        self._senders = [Thread(target=self._send, daemon=True) for _ in range(SENDERS)]
        for sender in self._senders:
            sender.start()

    @property
    def done(self) -> bool:
        """Whether every event was acknowledged."""
        return not any(sender.is_alive() for sender in self._senders)

    def stop(self) -> None:
        """Give up what was not acknowledged yet."""
        self._stopped.set()
        for sender in self._senders:
            sender.join()
        self._postman.close()

    def _send(self) -> None:
        while not self._stopped.is_set():
            try:
                event = self._waiting.popleft()
            except IndexError:
                return
            body = json.dumps(event, indent=2).encode()
            while not self._deliver(event["id"], body) and not self._stopped.wait(RETRY_SECONDS):
                pass
            if len(self._waiting) % TWICE_EVERY == 0:
                self._deliver(event["id"], body)

    def _deliver(self, event_id: str, body: bytes) -> bool:
        status = self._postman.deliver(self._endpoint, body, now=time.time())
        return self._ledger.note(event_id, status)
