"""A projection filled without log and queue: customers to ask about, or to be among."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import redis

from service.event import Event, read_event
from service.keys import Namespace, customer_key, source_key
from service.projection import Projection
from tests.benchmarks import lives
from workers import apply as applying
from workers.handlers import facts_of

NAMESPACE = Namespace(account="", mode="test")
ROUND_EVENTS = 2_000
CLONED_TOGETHER = 500


def fill(client: redis.Redis, customers: int, *, cards: int) -> None:
    """Project customers with so many cards each."""
    places = range(lives.EVENTS - 2 + cards)
    bodies = (lives.event(number, place) for number in range(customers) for place in places)
    projection = Projection(client)
    while told := list(_told(islice(bodies, ROUND_EVENTS))):
        applying.apply(projection, told)


def clone(client: redis.Redis, customers: int, *, cards: int) -> None:
    """Add customers that are images of the first: a full store, made as fast as it can be filled.

    They are as large as any, but show its ids; nobody asks for them.
    """
    ids = (f"{number:013d}" for number in range(customers))
    first = [customer_key(NAMESPACE, lives.customer_id(0))]
    first += [source_key(NAMESPACE, card) for card in lives.card_ids(0)[:cards]]
    documents: Any = client.mget(first)
    while some := list(islice(ids, CLONED_TOGETHER)):
        client.mset(
            {
                key: document
                for one in some
                for key, document in zip(_cloned_keys(one, cards), documents, strict=True)
            }
        )


def _cloned_keys(one: str, cards: int) -> list[str]:
    sources = [source_key(NAMESPACE, f"card_1C{one}{place:08d}") for place in range(cards)]
    return [customer_key(NAMESPACE, f"cus_c{one}"), *sources]


def _told(bodies: Iterable[bytes]) -> Iterator[applying.Told]:
    for event in map(read_event, bodies):
        if isinstance(event, Event):
            yield applying.Told(event.id, event.namespace, facts_of(event))
