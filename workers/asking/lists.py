"""Stripe's lists: pages of events and sources, how many customers there are."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from workers.algebra.objects import fields_of, identity
from workers.asking.api import StripeApi
from workers.asking.errors import StripeReadError

PAGE = 100
"""As many as Stripe gives out at once."""


class Listing(msgspec.Struct):
    """A page of a list, as Stripe answers it."""

    data: list[msgspec.Raw]
    has_more: bool = False
    total_count: int | None = None


LISTING = msgspec.json.Decoder(Listing)


def in_path(object_id: str) -> str:
    """Return an id as it stands in a path: what an event calls an id may hold anything."""
    return quote(object_id, safe="")


def count_customers(api: StripeApi) -> int | None:
    """Return how many customers Stripe has; None where it does not tell."""
    try:
        answer = api.get("/v1/customers", limit=1, expand=["total_count"])
    except StripeReadError:
        return None
    return LISTING.decode(answer.body).total_count


def read_events(api: StripeApi, **where: Any) -> Iterator[tuple[list[msgspec.Raw], bool]]:  # noqa: ANN401 - as Stripe takes them
    """Yield Stripe's events, newest first, a page at a time, each with whether more follow."""
    after: dict[str, str] = {}
    while True:
        answer = api.get("/v1/events", **({"limit": PAGE} | where | after))
        listing = LISTING.decode(answer.body)
        yield listing.data, listing.has_more
        if not listing.has_more:
            return
        after = {"starting_after": identity((fields_of(listing.data[-1]) or {}).get("id"))}


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
        listing = LISTING.decode(answer.body)
        found += listing.data
        more = listing.has_more and bool(listing.data)
    return found
