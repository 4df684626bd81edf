"""Resolve doubts: what events cannot tell of an answer, Stripe is asked, a few customers at a time.

Part of every worker's maintenance when there is a key to ask with. It runs in a thread beside the
draining, and one worker of all does it at a time. What goes wrong is logged and tried again later.
"""

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import redis
import structlog

from service import stores
from service.keys import ASKING, DOUBTS, Namespace
from service.projection import Projection
from service.settings import Settings
from workers import admission
from workers.asking.errors import NotFoundError, StripeReadError
from workers.asking.settled import open_api, read_settled

if TYPE_CHECKING:
    from workers.asking.api import StripeApi

READS_PER_ROUND = 10
ROUND_SECONDS = 2.0
"""So at most five customers a second, for all workers together."""

TROUBLE_SECONDS = 60.0
"""The pause after Stripe could not be asked: a key that is refused now will be so in a second."""

SETTLE_SECONDS = 3.0
"""An answer that has just become ambiguous most likely misses an event that is still on its way."""

AGAIN_SECONDS = 60.0
"""What a read did not resolve is asked again after this, and each time after twice as long."""

REMEMBERED = 10_000
LOOKED_AT = 200

log = structlog.get_logger()


class Resolver:
    """Starts a round when it is time; for one worker process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread: threading.Thread | None = None
        self._tried: dict[str, tuple[float, float]] = {}
        """Doubt -> when to ask again, and how long the pause was."""
        self._cursor = 0

    def run(self, client: redis.Redis) -> None:
        """Start a round in the background, when no other is under way anywhere."""
        if not self._settings.stripe_keys or (self._thread and self._thread.is_alive()):
            return
        if not client.exists(DOUBTS) or not _take_turn(client):
            return
        self._thread = threading.Thread(target=self.resolve, daemon=True, name="resolver")
        self._thread.start()

    def resolve(self) -> None:
        """Ask Stripe about some doubts and append what it showed."""
        settings = self._settings
        timeout = settings.store_timeout_seconds
        try:
            with stores.connect(settings.redis_url, timeout=timeout) as client:
                projecting = stores.connect_projection(settings.projection_url, timeout=timeout)
                try:
                    self._resolve(client, Projection(projecting))
                except StripeReadError as error:
                    _pause(client, TROUBLE_SECONDS)
                    log.warning("doubts.unread", reason=type(error).__name__, advice=str(error))
                finally:
                    projecting.close()
        except Exception as error:  # noqa: BLE001 - the edge of a thread: nobody else would hear
            log.warning("doubts.unread", reason=type(error).__name__)

    def _resolve(self, client: redis.Redis, projection: Projection) -> None:
        apis: dict[Namespace, StripeApi] = {}
        for field, namespace, customer in self._due(client):
            if namespace not in apis:
                apis[namespace] = open_api(self._settings, client, namespace)
            self._note_tried(field)
            try:
                read = read_settled(apis[namespace], projection, customer)
            except NotFoundError:
                log.info("doubt.unknown", customer=customer)
                continue
            admission.append(client, [read.body(apis[namespace])])
            log.info("doubt.read", customer=customer)

    def _due(self, client: redis.Redis) -> Iterator[tuple[str, Namespace, str]]:
        """Yield doubts to ask about: old enough to stay, and not asked about a moment ago."""
        found: Any
        self._cursor, found = client.hscan(DOUBTS, self._cursor, count=LOOKED_AT)
        now = time.time()
        number = 0
        for name, value in found.items():
            field, version = name.decode(), int(value.split(b" ", 1)[0])
            mode, account, customer = field.split(":", 2)
            readable = any(f"_{mode}_" in key for key in self._settings.stripe_keys)
            asked_again_at, _ = self._tried.get(field, (0.0, 0.0))
            old_enough = version / 1000 + SETTLE_SECONDS < now
            if readable and old_enough and asked_again_at < now and number < READS_PER_ROUND:
                number += 1
                yield field, Namespace(account=account, mode=mode), customer

    def _note_tried(self, field: str) -> None:
        if len(self._tried) >= REMEMBERED:
            self._tried.clear()
        _, pause = self._tried.get(field, (0.0, AGAIN_SECONDS / 2))
        self._tried[field] = (time.time() + 2 * pause, 2 * pause)


def _take_turn(client: redis.Redis) -> bool:
    return bool(client.set(ASKING, "1", nx=True, px=int(ROUND_SECONDS * 1000)))


def _pause(client: redis.Redis, seconds: float) -> None:
    client.set(ASKING, "1", px=int(seconds * 1000))
