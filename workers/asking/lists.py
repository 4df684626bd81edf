"""Stripe's lists: pages of events and sources, how many customers there are."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from workers.algebra.objects import identity
from workers.asking.api import Answer, StripeApi
from workers.asking.errors import ForeignAnswerError, StripeReadError

PAGE = 100
"""As many as Stripe gives out at once."""


class Listing(msgspec.Struct):
    """A page of a list, as Stripe answers it."""

    data: list[msgspec.Raw]
    has_more: bool = False
    total_count: int | None = None


def listing_of(answer: Answer) -> Listing:
    """Return a page, each of it an object with an id.

    Raises:
        ForeignAnswerError: it is none.

    """
    try:
        listing = _LISTING.decode(answer.body)
        ids = [bytes(item).startswith(b"{") and identity(item) for item in listing.data]
    except msgspec.MsgspecError:
        raise ForeignAnswerError from None
    if not all(ids) or (listing.has_more and not ids):
        raise ForeignAnswerError
    return listing


def in_path(object_id: str) -> str:
    """Return an id as it stands in a path: what an event calls an id may hold anything."""
    return quote(object_id, safe="")


def count_customers(api: StripeApi) -> int | None:
    """Return how many customers Stripe has; None where it does not tell."""
    try:
        answer = api.get("/v1/customers", limit=1, expand=["total_count"])
    except StripeReadError:
        return None
    return listing_of(answer).total_count


def read_events(api: StripeApi, **where: Any) -> Iterator[tuple[list[msgspec.Raw], bool]]:  # noqa: ANN401 - as Stripe takes them
    """Yield Stripe's events, newest first, a page at a time, each with whether more follow."""
    after: dict[str, str] = {}
    while True:
        answer = api.get("/v1/events", **({"limit": PAGE} | where | after))
        listing = listing_of(answer)
        yield listing.data, listing.has_more
        if not listing.has_more:
            return
        after = {"starting_after": identity(listing.data[-1])}


def all_sources(api: StripeApi, customer: str) -> list[msgspec.Raw]:
    """Return all sources of a customer, newest first.

    Raises:
        CursorError: one of them went while they were listed.
        NotFoundError: there is no such customer, or no longer.

    """
    found: list[msgspec.Raw] = []
    more = True
    while more:
        where = {"starting_after": identity(found[-1])} if found else {}
        answer = api.get(f"/v1/customers/{in_path(customer)}/sources", limit=PAGE, **where)
        listing = listing_of(answer)
        found += listing.data
        more = listing.has_more
    return found


_LISTING = msgspec.json.Decoder(Listing)
