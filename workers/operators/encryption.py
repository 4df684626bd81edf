"""Under which keys things lie in the stores: of all of them, or of some at either end."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import msgspec
import redis

from service import sealing
from service.compression import LackingError, UnreadableError
from service.documents import key_id_of, opened
from service.keys import CUSTOMER_KEYS, LOG, REENCRYPTED, SOURCE_KEYS
from service.log.entry import Entry, read_entry, resealed
from workers.operators.desk import Desk
from workers.operators.reading import Span, read_span

PIECE = 500
"""Documents looked at together."""

SAMPLE = 200
"""Of the oldest and of the newest events each, and of either kind of document."""


class Counted(msgspec.Struct):
    """How many lie under which key: by its id, which is empty for what is not encrypted."""

    events: Counter[str] = msgspec.field(default_factory=Counter)
    documents: Counter[str] = msgspec.field(default_factory=Counter)
    damaged: int = 0
    """Of those under a key that is known, how many it does not open."""

    @property
    def total(self) -> int:
        """How many there are."""
        return self.events.total() + self.documents.total()

    def under_others(self, key_id: str) -> Counter[str]:
        """Return how many of both do not lie under this key, by the key they lie under."""
        both = self.events + self.documents
        return Counter({one: number for one, number in both.items() if one != key_id})


class Completed(msgspec.Struct, frozen=True):
    """All that was stored was found to lie under one key."""

    key: str
    """Its id; empty when nothing was encrypted."""
    at: float
    """Unix seconds."""


class Encryption(msgspec.Struct, frozen=True):
    """Which keys are given, and which are in use."""

    key: str
    """The id of the one that encrypts; empty when none does."""
    keys: list[str]
    """The ids of all that this command was given."""
    sample: Counted
    completed: Completed | None


def encryption(desk: Desk) -> Encryption:
    """Return which keys are given, and under which some of what is stored lies."""
    return Encryption(
        key=sealing.current.key_id,
        keys=sealing.current.key_ids,
        sample=_sample(desk),
        completed=completed(desk.log),
    )


def count_all(desk: Desk) -> Iterator[Counted]:
    """Look at all that is stored; yields after each piece."""
    counted = Counted()
    for entries in read_span(desk.log, Span(oldest_first=True)):
        _count_events(counted, entries)
        yield counted
    for keys in document_keys(desk):
        _count_documents(counted, desk, keys)
        yield counted


def document_keys(desk: Desk) -> Iterator[list[str]]:
    """Yield the keys of all documents, a piece at a time."""
    keys = chain.from_iterable(map(desk.projection.keys, (SOURCE_KEYS, CUSTOMER_KEYS)))
    while piece := list(islice(keys, PIECE)):
        yield list(dict.fromkeys(piece))


def note_completed(client: redis.Redis, key_id: str) -> None:
    """Note that all that is stored lies under this key, and the stores' files know no other."""
    client.set(REENCRYPTED, msgspec.json.encode(Completed(key_id, time.time())))


def completed(client: redis.Redis) -> Completed | None:
    """Return what was noted last; None once something was found under another key."""
    noted = client.get(REENCRYPTED)
    return _decode(noted) if isinstance(noted, bytes) else None


def _sample(desk: Desk) -> Counted:
    counted = Counted()
    oldest: Any = desk.log.xrange(LOG, count=SAMPLE)
    newest: Any = desk.log.xrevrange(LOG, count=SAMPLE)
    _count_events(counted, map(read_entry, dict([*oldest, *newest]).items()))
    for pattern in (SOURCE_KEYS, CUSTOMER_KEYS):
        _count_documents(counted, desk, list(islice(desk.projection.keys(pattern), SAMPLE)))
    return counted


def _count_events(counted: Counted, entries: Iterable[Entry]) -> None:
    for entry in entries:
        counted.events[sealing.key_id_of(entry.stored)] += 1
        try:
            resealed(entry)
        except LackingError:
            continue
        except UnreadableError:
            counted.damaged += 1


def _count_documents(counted: Counted, desk: Desk, keys: Sequence[str]) -> None:
    for key, value in zip(keys, desk.projection.load_stored(keys), strict=True):
        if value is None:
            continue
        counted.documents[key_id_of(value)] += 1
        if key_id_of(opened(key, value)) in sealing.current.key_ids:
            counted.damaged += 1


_decode = msgspec.json.Decoder(Completed).decode
