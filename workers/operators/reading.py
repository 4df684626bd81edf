"""Read the event log in pieces: a span of it, or entries by their ids, in either order."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec
import redis

from service.keys import LOG
from service.log import event_log
from service.log.entry import Entry, read_entry

PIECE = 1_000
"""Entries read at once: half a megabyte, and a millisecond or two of the store's time."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the log, bounds included unless they begin with a bracket; as XRANGE takes them."""

    first: str = "-"
    last: str = "+"
    oldest_first: bool = False

    def after(self, entry_id: str) -> "Span":
        """Return what comes after this entry, in the span's own order."""
        bound = f"({entry_id}"
        if self.oldest_first:
            return msgspec.structs.replace(self, first=bound)
        return msgspec.structs.replace(self, last=bound)

    def beginning(self, entry_id: str) -> "Span":
        """Return the span without what lies before this entry."""
        if self.first != "-" and order(self.first.lstrip("(")) >= order(entry_id):
            return self
        return msgspec.structs.replace(self, first=entry_id)

    def __contains__(self, entry_id: str) -> bool:
        place = order(entry_id)
        after_first = self.first == "-" or _reaches(place, self.first, 1)
        return after_first and (self.last == "+" or _reaches(place, self.last, -1))


def span_between(since: float | None, until: float | None, *, oldest_first: bool) -> Span:
    """Return what was received at or after one moment and before another; unix seconds."""
    return Span(
        first="-" if since is None else str(max(0, int(since * 1000))),
        last="+" if until is None else f"({max(1, int(until * 1000))}-0",
        oldest_first=oldest_first,
    )


def read_span(client: redis.Redis, span: Span) -> Iterator[list[Entry]]:
    """Yield all entries of a span, a piece at a time."""
    while True:
        items: Any = (
            client.xrange(LOG, span.first, span.last, count=PIECE)
            if span.oldest_first
            else client.xrevrange(LOG, span.last, span.first, count=PIECE)
        )
        if not items:
            return
        yield [read_entry(item) for item in items]
        span = span.after(items[-1][0].decode())


def read_named(client: redis.Redis, span: Span, entry_ids: Iterable[str]) -> Iterator[list[Entry]]:
    """Yield those of these entries that lie in a span, a piece at a time."""
    chosen = sorted(
        (one for one in entry_ids if one in span), key=order, reverse=not span.oldest_first
    )
    rest = iter(chosen)
    while piece := list(islice(rest, PIECE)):
        yield event_log.fetch(client, piece)


def order(entry_id: str) -> tuple[int, int]:
    """Return what entry ids are sorted by."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def _reaches(place: tuple[int, int], bound: str, direction: int) -> bool:
    limit = order(bound.lstrip("("))
    if place == limit:
        return not bound.startswith("(")
    return (place > limit) == (direction > 0)
