"""The shapes of answers, spliced from stored JSON: no object is parsed and written again.

Objects go out byte for byte as Stripe sent them; only their surroundings are made here.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from service.documents import CustomerAnswer
from service.web.errors import RefusalError
from service.web.parameters import DEFAULT_LIMIT, Listing, ParameterError

TOP_LEVEL = msgspec.json.Decoder(dict[str, msgspec.Raw])


class MissingError(RefusalError):
    """An object that does not exist for this key."""

    reason = "resource_missing"

    def __init__(self, kind: str, object_id: str) -> None:
        super().__init__(f"No such {kind}: '{object_id}'", code="resource_missing", param="id")


class Item(Protocol):
    """What a list is made of."""

    @property
    def id(self) -> str:
        """What a cursor names it by."""

    @property
    def kind(self) -> str:
        """What `object` narrows a list to."""

    @property
    def body(self) -> bytes:
        """The item as JSON."""


class Page(msgspec.Struct, frozen=True):
    """A part of a list, in the list's order."""

    data: Sequence[Item]
    has_more: bool
    """Whether more follows in the direction of the walk."""
    total: int
    """How many the whole list has, of the kind asked for."""


def page_of(items: Sequence[Item], asked: Listing, *, noun: str = "source") -> Page:
    """Return the part of the list that was asked for.

    `ending_before` gives the items just before the cursor, not the first ones of the list. A
    cursor is a place in the whole list, also where `object` leaves it out.
    Raises ParameterError for a cursor that names nothing here, or two at once.
    """
    first, end = 0, len(items)
    if asked.starting_after:
        first = _place(items, noun, "starting_after", asked.starting_after) + 1
    if asked.ending_before:
        end = _place(items, noun, "ending_before", asked.ending_before)
    if asked.starting_after and asked.ending_before:
        raise ParameterError(
            "Received both starting_after and ending_before parameters. Please pass in only one."
        )
    wanted = _of_kind(items[first:end], asked.kind)
    data = wanted[-asked.limit :] if asked.ending_before else wanted[: asked.limit]
    return Page(data, len(wanted) > len(data), len(_of_kind(items, asked.kind)))


def _of_kind(items: Sequence[Item], kind: str) -> Sequence[Item]:
    return [item for item in items if item.kind == kind] if kind else items


def _place(items: Sequence[Item], noun: str, param: str, cursor: str) -> int:
    for place, item in enumerate(items):
        if item.id == cursor:
            return place
    raise ParameterError(f"No such {noun}: '{cursor}'", code="resource_missing", param=param)


def list_object(customer_id: str, page: Page, *, of: str = "sources", count: bool = False) -> bytes:
    """Return a page of what a customer has as Stripe's list object."""
    url = msgspec.json.encode(f"/v1/customers/{customer_id}/{of}")
    total = b',"total_count":%d' % page.total if count else b""
    return b'{"object":"list","data":[%b],"has_more":%b%b,"url":%b}' % (
        b",".join([item.body for item in page.data]),
        b"true" if page.has_more else b"false",
        total,
        url,
    )


def customer_object(customer_id: str, answer: CustomerAnswer, expand: frozenset[str]) -> bytes:
    """Return a customer with what was asked for put in place."""
    if not expand or answer.deleted:
        return answer.body
    fields = TOP_LEVEL.decode(answer.body)
    if "default_source" in expand and (default := default_body(answer)):
        fields["default_source"] = msgspec.Raw(default)
    if not expand.isdisjoint(("sources", "sources.data")):
        embedded = page_of(answer.sources, Listing(limit=DEFAULT_LIMIT))
        fields["sources"] = msgspec.Raw(list_object(customer_id, embedded, count=True))
    return msgspec.json.encode(fields)


def default_source_object(customer_id: str, answer: CustomerAnswer) -> bytes:
    """Return the default source itself; without one, or without its object, an envelope."""
    if body := default_body(answer):
        return body
    return msgspec.json.encode(
        {
            "object": "default_source",
            "customer": customer_id,
            "default_source": answer.default or None,
        }
    )


def default_body(answer: CustomerAnswer) -> bytes:
    """Return the default source's object; empty when there is none or it is not known."""
    return source_body(answer, answer.default) if answer.default else b""


def source_body(answer: CustomerAnswer, source_id: str) -> bytes:
    """Return the object of a source in the customer's list; empty when it is not there."""
    for source in answer.sources:
        if source.id == source_id:
            return source.body
    return b""
