"""Events that an operator vouches for: into the log without a signature, as from a webhook else."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import redis

from service.drop import KEEP_ALL, Drop
from service.event import Event, NotAnEventError, read_event
from service.keys import GROUP, LOG
from service.log.backlog import backlog
from service.log.entry import new_entry
from workers.admission import append_entries, without_forgotten
from workers.operators.reading import order

LOOK_SECONDS = 0.05


class Refused(msgspec.Struct, frozen=True):
    """What is no event."""

    number: int
    """Its place in the file, from 1."""
    reason: str


class Read(msgspec.Struct):
    """What a file holds."""

    events: list[tuple[Event, bytes]] = []
    """Each with its body."""
    ignored: Counter[str] = msgspec.field(default_factory=Counter)
    """Events of types that tell nothing of payment sources, by type."""
    refused: list[Refused] = []


class Vouched(msgspec.Struct):
    """What became of them so far."""

    accepted: int = 0
    duplicates: int = 0
    """The log has these already."""
    forgotten: int = 0
    """They are about somebody forgotten, and were left out."""
    last: str = ""
    """An entry of the log at or after the last of them."""


def read(bodies: Iterable[bytes], drop: Drop = KEEP_ALL) -> Read:
    """Return what the bodies are, without what is dropped."""
    known = Read()
    for number, body in enumerate(bodies, 1):
        try:
            event, kept = read_event(body), drop(body)
        except NotAnEventError as error:
            known.refused.append(Refused(number, error.reason))
            continue
        if isinstance(event, Event):
            known.events.append((event, kept))
        else:
            known.ignored[event.type] += 1
    return known


def append(client: redis.Redis, events: Sequence[tuple[Event, bytes]]) -> Iterator[Vouched]:
    """Append them to the log, yielding after each piece; doing it again appends nothing."""
    wanted = without_forgotten(client, events)
    vouched = Vouched(forgotten=len(events) - len(wanted))
    for fresh in append_entries(client, (new_entry(event, body) for event, body in wanted)):
        vouched.accepted += fresh.count(True)
        vouched.duplicates += fresh.count(False)
        yield vouched
    newest: Any = client.xrevrange(LOG, count=1)
    vouched.last = newest[0][0].decode() if newest else ""
    yield vouched


def await_applied(client: redis.Redis, entry_id: str) -> Iterator[int]:
    """Yield how many entries are pending, until none is up to this one."""
    while entry_id and (pending := _pending_up_to(client, entry_id)):
        yield pending
        time.sleep(LOOK_SECONDS)
    yield 0


def _pending_up_to(client: redis.Redis, entry_id: str) -> int:
    """Return how many entries are pending, all of them counted; 0 when none up to this one is."""
    groups: Any = client.xinfo_groups(LOG)
    delivered = [g["last-delivered-id"] for g in groups if g["name"] == GROUP.encode()]
    if delivered and order(delivered[0].decode()) >= order(entry_id):
        oldest = client.xpending(LOG, GROUP)["min"]
        if oldest is None or order(oldest.decode()) > order(entry_id):
            return 0
    return backlog(client).pending
