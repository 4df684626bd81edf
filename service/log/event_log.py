"""The event log: the only copy of every accepted event, until its retention ends.

The web appends to it (through the intake's commit); workers claim what is pending, apply it and
acknowledge. Pending is the consumer group's own knowledge: an entry that no worker has taken, or
that one has taken and not acknowledged.
"""

import hashlib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from itertools import chain
from typing import Any

import msgspec
import redis
import redis.asyncio

from service.keys import COUNTERS, DISCARDED, GROUP, LOG, RETRIES, Namespace, index_bucket
from service.log import claims, index, standing
from service.log.entry import Entry, NewEntry, read_entry

APPEND_SCRIPT = (files("service") / "lua" / "append.lua").read_text()
APPEND_SHA = hashlib.sha1(APPEND_SCRIPT.encode(), usedforsecurity=False).hexdigest()
_STATES_SCRIPT = (files("service") / "lua" / "states.lua").read_text()
_STATES_KEYS = (LOG, RETRIES, DISCARDED)


class Appended(msgspec.Struct, frozen=True):
    """What the append script answered."""

    waiting: int
    """Jobs in the queue at that instant: one that waits will see these events."""
    fresh: list[bool]
    """For each entry whether it was appended; if not, the log has the very same event already."""


# --- append: the intake's commit ----------------------------------------------------------------


def append_command(entries: Sequence[NewEntry], queue_key: str) -> tuple[str | bytes | int, ...]:
    """Return the one command that appends them all; read_appended reads its reply."""
    keys = (LOG, COUNTERS, queue_key, *chain.from_iterable(entry.buckets for entry in entries))
    fields = chain.from_iterable(entry.fields for entry in entries)
    return ("EVALSHA", APPEND_SHA, len(keys), *keys, *fields)


def read_appended(reply: list[int]) -> Appended:
    """Return what the append script answered."""
    return Appended(waiting=reply[0], fresh=[one == 1 for one in reply[1:]])


# --- claim, acknowledge: the drain job ----------------------------------------------------------


def ensure_group(client: redis.Redis) -> None:
    """Make the log and its consumer group if they are missing; everything in it is pending then."""
    claims.ensure_group(client, LOG)


def claim_new(client: redis.Redis, consumer: str, count: int) -> list[Entry]:
    """Take up to `count` entries that no worker has taken; nobody else gets them."""
    return [read_entry(item) for item in claims.take_new(client, LOG, consumer, count)]


def claim_stuck(
    client: redis.Redis, consumer: str, min_idle_ms: int, count: int
) -> list[tuple[Entry, int]]:
    """Take over entries that were taken `min_idle_ms` ago and never acknowledged.

    Each comes with how often it has been taken, this time included; who comes with whom is told
    where claims are made (claims.take_over).
    """
    stuck = claims.take_over(client, LOG, consumer, min_idle_ms, count)
    return [(read_entry(item), taken) for item, taken in stuck]


def acknowledge(client: redis.Redis, entry_ids: Iterable[str]) -> None:
    """Mark entries as applied, so no longer pending; `client` may be a pipeline."""
    standing.settle(client, list(entry_ids))


def put_back(
    client: redis.Redis, consumer: str, entry_ids: Sequence[str], *, idle_ms: int = 0
) -> None:
    """Have these count as never taken, as claims.give_back does."""
    claims.give_back(client, LOG, consumer, entry_ids, idle_ms=idle_ms)


# --- read, find, say where it stands: operators, Onfile-After -----------------------------------


def fetch(client: redis.Redis, entry_ids: Sequence[str]) -> list[Entry]:
    """Return these entries, without those that have left the log.

    Mostly they follow one another in the log, and one command reads them all: to ask for each,
    in a script or on a pipeline, was a tenth of what a replay costs.
    """
    if not entry_ids:
        return []
    items: Any = client.xrange(LOG, entry_ids[0], entry_ids[-1], count=len(entry_ids))
    if [item[0].decode() for item in items] != list(entry_ids):
        with client.pipeline(transaction=False) as pipe:
            for entry_id in entry_ids:
                pipe.xrange(LOG, entry_id, entry_id)
            items = [item for found in pipe.execute() for item in found]
    return [read_entry(item) for item in items]


def find(client: redis.Redis, event_or_request: str) -> list[Entry]:
    """Return the entries of this event id or this request, oldest first.

    An event id can have several: all test events that the dashboard sends share one.
    """
    if not index.INDEXED_ID.fullmatch(event_or_request):
        return []
    bucket: Any = client.hgetall(index_bucket(event_or_request))
    found: list[Entry] = []
    for place in index.places(bucket.items(), event_or_request):
        items: Any = client.xrange(LOG, place.entry_id, place.entry_id)
        found += map(read_entry, items)
    return [entry for entry in found if event_or_request in {entry.id, entry.request}]


def states(client: redis.Redis, entry_ids: Sequence[str]) -> list[str]:
    """Return pending, retrying, failed, discarded or applied for each, all at one instant."""
    reply: Any = client.register_script(_STATES_SCRIPT)(_STATES_KEYS, [GROUP, *entry_ids])
    return _words(reply)


async def applied(
    client: "redis.asyncio.Redis", namespace: Namespace, event_or_request: str
) -> bool:
    """Say whether an event or a request of this namespace has been applied.

    True when at least one event with this id, or of this request, is applied and none of those
    received is still pending or being retried.
    """
    if not index.INDEXED_ID.fullmatch(event_or_request):
        return False
    bucket: Any = await client.hgetall(index_bucket(event_or_request))
    places = index.places(bucket.items(), event_or_request)
    mine = [place.entry_id for place in places if place.namespace == namespace]
    if not mine:
        return False
    script = client.register_script(_STATES_SCRIPT)
    reply: Any = await script(_STATES_KEYS, [GROUP, *mine])
    words = set(_words(reply))
    return "applied" in words and not words & {"pending", "retrying"}


def _words(reply: list[bytes]) -> list[str]:
    return [word.decode() for word in reply]
