"""Make a customer's timeline: read its document and the entries that told of it; retell them."""

from collections.abc import Iterator
from functools import cache

import redis

from service import stores
from service.compression import LackingError, UnreadableError
from service.documents import decode_customer
from service.drop import Drop
from service.event import Event, NotAnEventError
from service.keys import Namespace, Subject, customer_key
from service.log import event_log, mentions
from service.log.entry import Entry
from service.projection import Projection
from service.settings import Settings
from service.timeline import Tell, Teller, Timeline
from workers.algebra.bare import bare_customer
from workers.deriving import CUSTOMERS
from workers.handlers import UnprojectableError, facts_of
from workers.timelines.changes import Heard
from workers.timelines.retelling import retell

MOST_ENTRIES = 1_000
"""The newest ones. A customer has some ten; a thousand take a second to retell."""


class Timelines:
    """The timelines of all customers, on open stores."""

    def __init__(self, log: redis.Redis, projection: Projection) -> None:
        self._log = log
        self._projection = projection

    def __call__(self, namespace: Namespace, customer: str) -> Timeline | None:
        """Return a customer's timeline, None for one that is not known.

        Raises:
            LackingError: it would not be told right.
            UnreadableError: the customer's document is damaged.
            redis.RedisError: a store is away.

        """
        [value] = self._projection.load([customer_key(namespace, customer)])
        if value is None:
            return None
        _, answer, packed = decode_customer(value)
        drop = self._projection.drop
        facts = bare_customer(CUSTOMERS.decode_facts(packed), drop)
        subjects = [Subject(namespace, one) for one in (customer, *facts.links)]
        entries = mentions.entries_of(self._log, subjects)[-MOST_ENTRIES:]
        heard = [
            one for entry in event_log.fetch(self._log, entries) for one in _heard(entry, drop)
        ]
        return retell(namespace, customer, (facts, answer), heard)


def opened_when_asked(settings: Settings) -> Tell:
    """Return what makes timelines in a process that starts while the stores are away."""

    @cache
    def timelines() -> Timelines:
        timeout = settings.store_timeout_seconds
        log = stores.connect(settings.redis_url, timeout=timeout)
        projecting = stores.connect_projection(settings.projection_url, timeout=timeout)
        return Timelines(log, Projection(projecting, Drop(settings.drop_fields)))

    def tell(namespace: Namespace, customer: str) -> Timeline | None:
        return timelines()(namespace, customer)

    return tell


def _heard(entry: Entry, drop: Drop) -> Iterator[Heard]:
    """Read an entry; what cannot be read told nothing, unless only this process cannot."""
    try:
        event = entry.read(drop)
        if isinstance(event, Event):
            yield Heard(_teller(entry, event), facts_of(event))
    except LackingError:
        raise
    except (NotAnEventError, UnprojectableError, UnreadableError):
        return


def _teller(entry: Entry, event: Event) -> Teller:
    return Teller(
        id=event.id,
        type=event.type,
        created=event.created,
        request=event.request or None,
        received=entry.received_ms // 1000,
    )
