"""The event log: the only copy of every accepted event, until its retention ends.

The web appends to it (through the intake's commit); workers claim what is pending, apply it and
acknowledge. Pending is the consumer group's own knowledge: an entry that no worker has taken, or
that one has taken and not acknowledged.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

import msgspec
import redis
import redis.asyncio

from service import standing
from service.entry import Entry, NewEntry, read_entry
from service.keys import COUNTERS, DISCARDED, GROUP, LOG, RETRIES, Namespace, index_bucket

INDEXED_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
"""What Stripe's ids are made of; nothing else is looked up, so no id can be a glob pattern."""

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
    buckets = [bucket for entry in entries for bucket in entry.buckets]
    fields = [field for entry in entries for field in entry.fields]
    keys = (LOG, COUNTERS, queue_key, *buckets)
    return ("EVALSHA", APPEND_SHA, len(keys), *keys, *fields)


def read_appended(reply: list[int]) -> Appended:
    """Return what the append script answered."""
    return Appended(waiting=reply[0], fresh=[one == 1 for one in reply[1:]])


# --- claim, acknowledge: the drain job ----------------------------------------------------------


def ensure_group(client: redis.Redis) -> None:
    """Make the log and its consumer group if they are missing; everything in it is pending then."""
    try:
        client.xgroup_create(LOG, GROUP, id="0", mkstream=True)
    except redis.ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


def claim_new(client: redis.Redis, consumer: str, count: int) -> list[Entry]:
    """Take up to `count` entries that no worker has taken; nobody else gets them."""
    try:
        reply: Any = client.xreadgroup(GROUP, consumer, {LOG: ">"}, count=count)
    except redis.ResponseError as error:
        if not str(error).startswith("NOGROUP"):
            raise
        ensure_group(client)
        reply = client.xreadgroup(GROUP, consumer, {LOG: ">"}, count=count)
    return [read_entry(item) for _, items in reply for item in items]


def claim_stuck(
    client: redis.Redis, consumer: str, min_idle_ms: int, count: int
) -> list[tuple[Entry, int]]:
    """Take over entries that were taken `min_idle_ms` ago and never acknowledged.

    Each comes with how often it has been taken, this time included: one that was taken many
    times may be what kills the workers. So only what was put back comes in company; any other
    comes alone, the one that was taken least often first: none takes an innocent one with it. Of
    two that claim at once only one gets an entry.
    """
    stuck = claims(client, count, min_idle_ms=min_idle_ms)
    if not stuck:
        return []
    taken = min(stuck.values())
    alike = [entry_id for entry_id, often in stuck.items() if often == taken]
    ids: Any = alike[:1] if taken else alike
    claimed: Any = client.xclaim(LOG, GROUP, consumer, min_idle_ms, ids)
    return [(read_entry(item), taken + 1) for item in claimed]


def claims(client: redis.Redis, count: int, *, min_idle_ms: int = 0) -> dict[bytes, int]:
    """Return how often each of the oldest entries was taken that were, and are not acknowledged."""
    try:
        pending: Any = client.xpending_range(LOG, GROUP, "-", "+", count, idle=min_idle_ms)
    except redis.ResponseError as error:
        if not str(error).startswith("NOGROUP"):
            raise
        return {}
    return {one["message_id"]: one["times_delivered"] for one in pending}


def acknowledge(client: redis.Redis, entry_ids: Iterable[str]) -> None:
    """Mark entries as applied, so no longer pending; `client` may be a pipeline."""
    standing.settle(client, list(entry_ids))


def put_back(
    client: redis.Redis,
    consumer: str,
    entry_ids: Sequence[str] | Sequence[bytes],
    *,
    idle_ms: int = 0,
    taken: int = 0,
) -> None:
    """Have these count as taken so often, the last time `idle_ms` ago.

    Never, unless told otherwise: it was not their fault that they were not applied. They may be
    claimed again when they were taken long enough ago.
    """
    if entry_ids:
        ids: Any = list(entry_ids)
        client.xclaim(LOG, GROUP, consumer, 0, ids, idle=idle_ms, retrycount=taken, justid=True)


# --- find, say where it stands: operators, Onfile-After -----------------------------------------


def find(client: redis.Redis, event_or_request: str) -> list[Entry]:
    """Return the entries of this event id or this request, oldest first.

    An event id can have several: all test events that the dashboard sends share one.
    """
    if not INDEXED_ID.fullmatch(event_or_request):
        return []
    pairs: Any = client.hscan_iter(index_bucket(event_or_request), f"{event_or_request}:*")
    found: list[Entry] = []
    for entry_id, _ in _places(pairs):
        items: Any = client.xrange(LOG, entry_id, entry_id)
        found += map(read_entry, items)
    return found


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
    if not INDEXED_ID.fullmatch(event_or_request):
        return False
    bucket = index_bucket(event_or_request)
    pairs: Any = [pair async for pair in client.hscan_iter(bucket, f"{event_or_request}:*")]
    mine = [entry_id for entry_id, text in _places(pairs) if text == namespace.text]
    if not mine:
        return False
    script = client.register_script(_STATES_SCRIPT)
    reply: Any = await script(_STATES_KEYS, [GROUP, *mine])
    words = set(_words(reply))
    return "applied" in words and not words & {"pending", "retrying"}


def _places(pairs: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Return entry id and namespace out of each index field, oldest first."""
    places = []
    for _, value in pairs:
        entry_id, _, text = value.decode().partition(" ")
        places.append((entry_id, text))
    return sorted(places, key=lambda place: tuple(map(int, place[0].split("-"))))


def _words(reply: list[bytes]) -> list[str]:
    return [word.decode() for word in reply]
