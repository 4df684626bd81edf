"""A customer's timeline over HTTP, as a list like Stripe's; made anew for whoever asks."""

import asyncio

import msgspec

from service.stores import AWAY, StoreAwayError
from service.timeline import Change, Tell, Timeline
from service.web import shapes
from service.web.freshness import of_customer
from service.web.parameters import read_listing
from service.web.queries import known_customer
from service.web.query import Answer, Asked
from service.web.shapes import MissingError

PAGING = frozenset({"limit", "starting_after", "ending_before"})


class Listed(msgspec.Struct, frozen=True):
    """A change as an item of a list."""

    id: str
    body: bytes
    kind: str = ""


class Timelines:
    """GET /v1/customers/:id/timeline, newest first; of a deleted customer too."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._turn = asyncio.Lock()

    async def __call__(self, asked: Asked) -> Answer:
        """Return the part of the timeline that was asked for."""
        listing = read_listing(asked.parameters.values)
        customer_id = asked.ids["customer"]
        known = await known_customer(asked, customer_id)
        timeline = await self._timeline(asked, customer_id)
        page = shapes.page_of(
            [_listed(change) for change in reversed(timeline.changes)], listing, noun="change"
        )
        body = shapes.list_object(customer_id, page, of="timeline")
        return Answer(body, of_customer(known))

    async def _timeline(self, asked: Asked, customer_id: str) -> Timeline:
        """Have it made in a thread, one at a time: other queries must not wait for it."""
        try:
            async with self._turn:
                timeline = await asyncio.to_thread(self._tell, asked.namespace, customer_id)
        except AWAY as error:
            raise StoreAwayError(str(error)) from error
        if timeline is None:
            raise MissingError("customer", customer_id)
        return timeline


def _listed(change: Change) -> Listed:
    return Listed(change.id, msgspec.json.encode(change))
