"""Reads of Stripe: a customer as it stands there, with all its sources, as an entry of the log.

A read's second is one that Stripe's clock had reached when the first request was sent. So what a
read shows is never older than it says, and an event that happened afterwards always outranks it.
"""

from collections.abc import Collection
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from service.event_types import READ_TYPE
from workers.algebra.objects import (
    Fields,
    embedded_sources,
    fields_of,
    identity,
    second_of,
    text_of,
    truth_of,
)
from workers.asking.api import Answer, StripeApi
from workers.asking.errors import CursorError, ForeignAnswerError, NotFoundError, StripeReadError
from workers.asking.lists import PAGE, all_sources, in_path, listing_of

SAME_TRIES = 3
"""How often to begin anew when a customer changes while it is read."""

ID_BYTES = 12


class Read(NamedTuple):
    """What Stripe showed of one customer."""

    customer: str
    second: int
    fields: Fields
    """The customer; its `sources` are all it has, however many."""
    gone: tuple[str, ...] = ()
    """Sources we took for attached and Stripe says it does not have."""

    @property
    def deleted(self) -> bool:
        """Whether the customer has been deleted."""
        return truth_of(self.fields.get("deleted"))

    @property
    def sources(self) -> list[msgspec.Raw]:
        """The sources, newest first."""
        return embedded_sources(self.fields)[0]

    @property
    def source_ids(self) -> list[str]:
        """The ids of the sources, newest first."""
        return [identity(source) for source in self.sources]

    def body(self, api: StripeApi) -> bytes:
        """Return it as the body of an entry; the same read has the same id."""
        shown = {"id": self.customer, "customer": self.fields, "gone": self.gone}
        envelope: dict[str, Any] = {
            "object": "event",
            "api_version": api.api_version or None,
            "created": self.second,
            "data": {"object": shown},
            "livemode": api.namespace.mode == "live",
            "request": None,
            "type": READ_TYPE,
        }
        if api.namespace.account:
            envelope["account"] = api.namespace.account
        content = msgspec.json.encode(envelope)
        read_id = f"read_{blake2b(content, digest_size=ID_BYTES).hexdigest()}"
        return msgspec.json.format(msgspec.json.encode({"id": read_id, **envelope}), indent=2)


class Page(NamedTuple):
    """A part of Stripe's list of customers, newest first."""

    reads: list[Read]
    last: str
    """The customer it ends with, after which to go on."""
    last_created: int
    has_more: bool


def read_customer(api: StripeApi, customer: str, attached: Collection[str] = ()) -> Read:
    """Return a customer as Stripe has it now.

    Args:
        api: whose customer it is.
        customer: its id.
        attached: the sources we take for attached; of those it lacks Stripe is asked singly.

    Raises:
        NotFoundError: Stripe knows no such customer under this key.
        StripeReadError: Stripe is away, something else answers in its place, or the customer
            changes faster than it can be read.

    """
    for tries_left in reversed(range(SAME_TRIES)):
        answer = api.get(f"/v1/customers/{in_path(customer)}", expand=["sources"])
        fields = _shown(answer, customer)
        try:
            read, agrees = _whole(api, fields, int(answer.asked_at), attached)
        except (CursorError, NotFoundError):
            continue  # it, or a source of it, went meanwhile
        if agrees or not tries_left:
            return read
    raise StripeReadError(f"{customer} changes faster than it can be read; run this again.")


def read_page(api: StripeApi, *, after: str = "", created_by: int | None = None) -> Page:
    """Return a page of Stripe's customers; of each all sources.

    Raises:
        CursorError: the customer to go on after has been deleted; go by `created_by`.

    """
    where: dict[str, Any] = {}
    if created_by is not None:
        where["created"] = {"lte": created_by}
    elif after:
        where["starting_after"] = after
    answer = api.get("/v1/customers", limit=PAGE, expand=["data.sources"], **where)
    listing = listing_of(answer)
    reads = []
    for item in listing.data:
        fields = fields_of(item) or {}
        try:
            read, _ = _whole(api, fields, int(answer.asked_at), ())
        except (CursorError, NotFoundError):
            read = read_customer(api, identity(fields.get("id")))
        reads.append(read)
    last = fields_of(listing.data[-1]) or {} if listing.data else {}
    return Page(reads, identity(last.get("id")), second_of(last.get("created")), listing.has_more)


def _shown(answer: Answer, customer: str) -> Fields:
    """Return the customer that was asked for, and nothing else."""
    try:
        fields = fields_of(answer.body) or {}
    except msgspec.DecodeError:
        raise ForeignAnswerError from None
    if identity(fields.get("id")) != customer:
        raise ForeignAnswerError
    return fields


def _whole(
    api: StripeApi, fields: Fields, second: int, attached: Collection[str]
) -> tuple[Read, bool]:
    """Return the read with every source in it, and whether what the list lacks is gone indeed."""
    customer = identity(fields.get("id"))
    if text_of(fields.get("object")) != "customer":
        raise ForeignAnswerError
    if truth_of(fields.get("deleted")):
        return Read(customer, second, fields), True
    sources, complete = embedded_sources(fields)
    if not complete:
        sources = all_sources(api, customer)
    listed = {identity(source) for source in sources}
    missing = [source for source in attached if source not in listed]
    gone = tuple(source for source in missing if _is_gone(api, customer, source))
    listing = {"object": "list", "data": sources, "has_more": False}
    whole = fields | {"sources": msgspec.Raw(msgspec.json.encode(listing))}
    return Read(customer, second, whole, gone), len(gone) == len(missing)


def _is_gone(api: StripeApi, customer: str, source: str) -> bool:
    try:
        api.get(f"/v1/customers/{in_path(customer)}/sources/{in_path(source)}")
    except NotFoundError:
        return True
    return False
