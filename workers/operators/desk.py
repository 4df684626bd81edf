"""What an operator's question is put to: the two stores, and the settings they were found by."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import redis

from service import sealing, stores
from service.drop import Drop
from service.projection import Projection
from service.settings import Settings

PATIENCE_SECONDS = 5.0
"""An operator's question may take the store longer than a delivery's commit."""


class Desk(NamedTuple):
    """The stores, open."""

    settings: Settings
    log: redis.Redis
    """The store of the event log and the queue."""
    projecting: stores.Projecting
    """The store of the projection; another client also where it is the same store."""

    @property
    def projection(self) -> Projection:
        """All documents."""
        return Projection(self.projecting, self.drop)

    @property
    def drop(self) -> Drop:
        """What is never to be stored."""
        return Drop(self.settings.drop_fields)


@contextmanager
def open_desk(settings: Settings) -> Iterator[Desk]:
    """Open both stores, with the keys to what lies there, and close them at the end.

    Raises:
        redis.RedisError: one of them is away.

    """
    sealing.use(settings.encryption_keys)
    patience = max(PATIENCE_SECONDS, settings.store_timeout_seconds)
    with stores.connect(settings.redis_url, timeout=patience) as log:
        log.ping()
        projecting = stores.connect_projection(settings.projection_url, timeout=patience)
        try:
            yield Desk(settings, log, projecting)
        finally:
            projecting.close()
