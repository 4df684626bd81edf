"""Search the event log: by what an event is about, where it stands and when it came.

The log is read in pieces and given out as it is read, so that millions of events pass through
without ever being held at once. An event's and a request's id are indexed; for all else the log is
read through, between the two moments if they are given.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeAlias, get_args

import msgspec
import redis

from service.keys import DISCARDED, FAILED, GROUP, LOG, RETRIES
from service.log import event_log
from service.log.entry import Entry
from workers.operators.moments import iso
from workers.operators.reading import Span, read_named, read_span, span_between

State: TypeAlias = Literal["pending", "retrying", "failed", "discarded", "applied"]
STATES: tuple[str, ...] = get_args(State)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to search for; what is None is of no matter."""

    type: str | None = None
    """May hold `*` for anything."""
    customer: str | None = None
    object: str | None = None
    request: str | None = None
    state: str | None = None
    since: float | None = None
    """Received at or after this; unix seconds, by the store's clock."""
    until: float | None = None
    """Received before this."""

    def describes(self, entry: Entry) -> bool:
        """Tell whether an entry is of this kind, its state and time apart.

        Raises:
            LackingError: only another process could tell, or this one with one key more.

        """
        if self.type is not None and not fnmatchcase(entry.type, self.type):
            return False
        if self.customer is self.object is self.request is None:
            return True
        entry.demand()
        return (
            self.customer in {None, entry.customer}
            and self.object in {None, entry.object}
            and self.request in {None, entry.request}
        )


class Found(msgspec.Struct, frozen=True):
    """An event of the log, without its body."""

    event: str
    type: str
    state: str
    received: str
    customer: str
    object: str
    request: str
    account: str
    """Empty for the platform's own."""
    mode: str
    entry: str
    """Where it lies in the log."""


def search(
    client: redis.Redis, wanted: Wanted, *, oldest_first: bool = False, after: str | None = None
) -> Iterator[Found]:
    """Yield what is found, the newest first unless told otherwise.

    Args:
        client: of the event log's store.
        wanted: what to search for.
        oldest_first: the order.
        after: the entry after which to go on, as the last call gave it out.

    """
    span = span_between(wanted.since, wanted.until, oldest_first=oldest_first)
    if after:
        span = span.after(after)
    for piece in _candidates(client, wanted, span):
        described = [entry for entry in piece if wanted.describes(entry)]
        states = event_log.states(client, [entry.entry_id for entry in described])
        for entry, state in zip(described, states, strict=True):
            if wanted.state in {None, state}:
                yield found(entry, state)


def found(entry: Entry, state: str) -> Found:
    """Return an entry as it is shown."""
    return Found(
        event=entry.id,
        type=entry.type,
        state=state,
        received=iso(entry.received_ms / 1000),
        customer=entry.customer,
        object=entry.object,
        request=entry.request,
        account=entry.account,
        mode=entry.mode,
        entry=entry.entry_id,
    )


def _candidates(client: redis.Redis, wanted: Wanted, span: Span) -> Iterator[list[Entry]]:
    """Yield the entries that may be meant, in order, from whatever knows them best."""
    if wanted.request:
        mine = [entry.entry_id for entry in event_log.find(client, wanted.request)]
        return read_named(client, span, mine)
    if wanted.state in {"retrying", "failed", "discarded"}:
        return read_named(client, span, _ids_in(client, wanted.state))
    if wanted.state == "pending":
        return read_span(client, span.beginning(_oldest_pending(client)))
    return read_span(client, span)


def _ids_in(client: redis.Redis, state: str) -> list[str]:
    if state == "failed":
        ids: Any = client.zrange(FAILED, 0, -1)
    else:
        ids = client.hkeys(RETRIES if state == "retrying" else DISCARDED)
    return [one.decode() for one in ids]


def _oldest_pending(client: redis.Redis) -> str:
    """Return an id at or before the oldest that is pending, so that nobody reads what is done."""
    try:
        groups: Any = client.xinfo_groups(LOG)
        taken: Any = client.xpending(LOG, GROUP)["min"]
    except redis.ResponseError:
        return "0-0"  # no log, or no group: all of it is pending
    delivered = next(g["last-delivered-id"] for g in groups if g["name"] == GROUP.encode())
    return str((taken or delivered).decode())
