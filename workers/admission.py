"""Admission: entries that no delivery brought, but our own reading of Stripe, or an operator.

They go the way of every event: appended and pending in one atomic step, then drained. So what holds
for events holds for them: deaths, replay, dead letters.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import redis

from service import doorbell
from service.event import Event, Unprojected, read_event
from service.event_types import LOGGED_TYPES
from service.keys import Subject
from service.log import event_log, forgotten
from service.log.backlog import Backlog, backlog
from service.log.entry import NewEntry, new_entry
from service.log.intake import BATCH_BYTES, BATCH_EVENTS

ROOM_EVENTS = 2_000
"""So many may wait to be applied: live deliveries wait behind them, so half a second's work."""

POLL_SECONDS = 0.1
STALLED_SECONDS = 60.0


class StalledError(Exception):
    """Nobody applies what is pending."""

    def __init__(self) -> None:
        super().__init__(
            f"For {STALLED_SECONDS:.0f} seconds no worker has applied anything, and more would "
            "only pile up. Look at `onfile status`, start `onfile worker`, and run this again: it "
            "goes on where it stopped."
        )


def append(client: redis.Redis, bodies: Sequence[bytes]) -> list[bool]:
    """Return, once they are in the log and pending, which of these the log did not have before.

    What is about somebody forgotten is left out: it would only have to be erased again.

    Raises:
        NotAnEventError: one of them is none.
        redis.RedisError: they may be in the log or not; appending them again does no harm.

    """
    events = [
        (event, body)
        for body in bodies
        if not isinstance(event := read_event(body, projected=LOGGED_TYPES), Unprojected)
    ]
    entries = (new_entry(event, body) for event, body in without_forgotten(client, events))
    return [fresh for piece in append_entries(client, entries) for fresh in piece]


def without_forgotten(
    client: redis.Redis, events: Sequence[tuple[Event, bytes]]
) -> list[tuple[Event, bytes]]:
    """Leave out events about somebody forgotten: even erased, their bytes stay in the files."""
    unwanted = forgotten.which(client, {one for event, _ in events for one in _about(event)})
    return [(event, body) for event, body in events if unwanted.isdisjoint(_about(event))]


def _about(event: Event) -> set[Subject]:
    return {Subject(event.namespace, one) for one in (event.customer, event.object_id)}


def append_entries(client: redis.Redis, entries: Iterable[NewEntry]) -> Iterator[list[bool]]:
    """Append entries piece by piece, ringing for them; yields for each piece which were new."""
    client.script_load(event_log.APPEND_SCRIPT)
    for piece in _pieces(entries):
        command: Any = event_log.append_command(piece, doorbell.QUEUE_KEY)
        reply: Any = client.execute_command(*command)  # type: ignore[no-untyped-call]
        appended = event_log.read_appended(reply)
        if any(appended.fresh) and not appended.waiting:
            doorbell.ring(client)
        yield appended.fresh


def _pieces(entries: Iterable[NewEntry]) -> Iterator[list[NewEntry]]:
    """Yield what is appended in one step: a script blocks the store while it runs."""
    piece: list[NewEntry] = []
    size = 0
    for entry in entries:
        size += entry.size
        if piece and (len(piece) == BATCH_EVENTS or size > BATCH_BYTES):
            yield piece
            piece, size = [], entry.size
        piece.append(entry)
    if piece:
        yield piece


def room(client: redis.Redis) -> Iterator[int]:
    """Yield how many are pending, again and again, until there is room for more.

    Raises:
        StalledError: a minute passed in which nothing was applied.

    """
    return _until(client, lambda now: now.pending <= ROOM_EVENTS)


def applied(client: redis.Redis) -> Iterator[int]:
    """Yield how many are pending until what was accepted before is applied, or fails; like room."""
    at_ms = backlog(client).at_ms
    return _until(client, lambda now: now.oldest_ms is None or now.at_ms - now.oldest_ms > at_ms)


def _until(client: redis.Redis, enough: Callable[[Backlog], bool]) -> Iterator[int]:
    since, seen = time.monotonic(), -1
    while not enough(now := backlog(client)):
        if now.applied != seen:
            since, seen = time.monotonic(), now.applied
        if time.monotonic() - since > STALLED_SECONDS:
            raise StalledError
        yield now.pending
        time.sleep(POLL_SECONDS)
