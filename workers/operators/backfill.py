"""Backfill: read every customer that Stripe has, with its sources, and append what was read.

For what was there before us, and for a projection whose events have left the log. Stripe lists
neither deleted customers nor Sources that belong to nobody.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
import redis

from service.keys import BACKFILLS, Namespace
from service.projection import Projection
from workers import admission
from workers.asking.api import StripeApi
from workers.asking.errors import CursorError, NotFoundError
from workers.asking.known import known
from workers.asking.lists import count_customers
from workers.asking.reads import Page, Read, read_customer, read_page
from workers.asking.settled import wait_past


class Position(msgspec.Struct, frozen=True):
    """How far a backfill has come; its customers are read from the newest to the oldest."""

    after: str = ""
    """The last customer read."""
    created: int = 0
    """When Stripe made that customer."""
    customers: int = 0
    """Read so far."""


class Progress(msgspec.Struct, frozen=True):
    """How far a run has come, after each page."""

    customers: int
    """Read so far, earlier runs included."""
    sources: int
    """Read in this run."""
    of: int | None
    """How many customers Stripe has; None where it does not tell."""
    customers_per_second: float
    """In this run."""
    seconds_left: float | None
    waiting: int = 0
    """Entries that wait to be applied first; 0 when none hold this up."""


def position(log: redis.Redis, namespace: Namespace) -> Position:
    """Return how far the run that was ended has come; the beginning when there is none."""
    kept: Any = log.hget(BACKFILLS, namespace.text)
    return msgspec.json.decode(kept, type=Position) if kept else Position()


def begin_anew(log: redis.Redis, namespace: Namespace) -> None:
    """Forget how far a run has come."""
    log.hdel(BACKFILLS, namespace.text)


def backfill(log: redis.Redis, projection: Projection, api: StripeApi) -> Iterator[Progress]:
    """Append a read of every customer, yielding after each page.

    A run that was ended goes on where it stopped; reading a customer twice does no harm.

    Raises:
        StripeReadError, StalledError: it ended early; what is done is kept.

    """
    where = position(log, api.namespace)
    before, began, sources = where.customers, time.monotonic(), 0
    total = count_customers(api)

    def progress(waiting: int = 0) -> Progress:
        rate = (where.customers - before) / max(0.001, time.monotonic() - began)
        left = None if total is None or not rate else max(0, total - where.customers) / rate
        shown = None if total is None else max(total, where.customers)
        return Progress(where.customers, sources, shown, rate, left, waiting)

    more = True
    while more:
        for waiting in admission.room(log):
            yield progress(waiting)
        page = _next_page(api, where)
        reads = _settled(api, projection, page)
        admission.append(log, [read.body(api) for read in reads])
        sources += sum(len(read.sources) for read in reads)
        more = page.has_more
        if page.last:
            done = where.customers + len(page.reads)
            where = Position(page.last, page.last_created, done)
            log.hset(BACKFILLS, api.namespace.text, msgspec.json.encode(where))
        yield progress()
    begin_anew(log, api.namespace)


def _next_page(api: StripeApi, where: Position) -> Page:
    try:
        return read_page(api, after=where.after)
    except CursorError:  # deleted meanwhile: go on by the second in which it was made
        return read_page(api, created_by=where.created)


def _settled(api: StripeApi, projection: Projection, page: Page) -> list[Read]:
    """Return the reads of a page; customers that have just changed are read once more, later.

    Those that change all the time are not waited for again: where a read and an event of one
    second cannot be told apart, the answer says so, and is asked about by itself.
    """
    now_known = known(projection, api.namespace, [read.customer for read in page.reads])
    reads, early = [], []
    for read, before in zip(page.reads, now_known, strict=True):
        if before.second < read.second and {*before.attached} <= {*read.source_ids}:
            reads.append(read)
        else:
            early.append((read.customer, before))
    wait_past(api, *(before.second for _, before in early))
    for customer, before in early:
        with suppress(NotFoundError):  # Stripe has just listed it: a moment's inconsistency
            reads.append(read_customer(api, customer, before.attached))
    return reads
