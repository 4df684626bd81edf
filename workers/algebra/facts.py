"""Facts: what an event says about a source's or a customer's document, before anything is merged.

A fact never takes another back. Times are whole seconds; one that is not known is `NEVER`, so that
the earliest of two is always the lesser of them.
"""

from hashlib import blake2b
from typing import TypeAlias

import msgspec

from service.documents import SourceAnswer

NEVER = 2**32 - 1
"""A second nobody knows: the largest that packs into five bytes, which is in the year 2106."""

FINAL, USUAL, FIRST, UNOWNED = 3, 2, 1, 0
"""Phases of a life: deleted, detached or consumed; anything else; created or attached; a Source
that names no customer."""

_KEY_BYTES = 8
"""Enough to tell the few records of two seconds apart, and short enough to keep a million times."""


class Record(msgspec.Struct, array_like=True, frozen=True):
    """One snapshot of one object, as one event told it."""

    type: str
    phase: int
    status: int
    """Rank of a Source's status inside its phase: pending 0, chargeable 1, the rest 2."""
    request: str
    """The id of the API request that caused the event; empty when Stripe acted by itself."""
    event: str
    api_version: str
    object: bytes
    """JSON without white space; numbers stand as Stripe wrote them."""
    previous: bytes
    """`previous_attributes` likewise; empty when the event has none."""

    @property
    def key(self) -> bytes:
        """What makes two records one: equal request, type, object and previous."""
        content = b"\0".join(
            (self.request.encode(), self.type.encode(), self.object, self.previous)
        )
        return blake2b(content, digest_size=_KEY_BYTES).digest()


Group: TypeAlias = dict[int, dict[bytes, Record]]
"""Second -> key -> record."""


class Times(msgspec.Struct, array_like=True, frozen=True):
    """When a source came to a customer and when it left, each the least second known."""

    added: int = NEVER
    """Exactly then."""
    seen: int = NEVER
    """It was there then, so it was added at or before."""
    first: int = NEVER
    """It was added then as the customer's first."""
    gone: int = NEVER
    """Deleted, consumed or detached; never undone."""


class SourceFacts(msgspec.Struct, array_like=True):
    """All that is known of one source."""

    snapshots: Group = {}
    """Its own object, from `customer.source.*`, `source.*` and lists embedded in customers."""
    views: Group = {}
    """Its second view, from `payment_method.*`: only the values both views share."""
    owners: set[str] = set()
    times: Times = Times()
    forgotten: int = NEVER
    """When its owner was forgotten; then nothing else is known of it, whatever comes."""


class Link(msgspec.Struct, array_like=True, frozen=True):
    """A source as its customer knows it: an image of the source's document."""

    times: Times
    version: int
    """Of the source's document that `answer` was derived from; the greater one holds more facts."""
    answer: SourceAnswer


class CustomerFacts(msgspec.Struct, array_like=True):
    """All that is known of one customer."""

    snapshots: Group = {}
    deleted: bool = False
    told: bool = False
    """A `customer.updated` has come, so this endpoint hears of a changed default."""
    lists: dict[int, set[tuple[str, ...]]] = {}
    """Whole lists of its sources by their second, newest source first; only the greatest second."""
    links: dict[str, Link] = {}
    """Every source it has ever had. Never dropped: a late push would raise the dead."""
    forgotten: int = NEVER
    """When an operator had it forgotten; then nothing else is known of it, whatever comes."""


class Facts(msgspec.Struct):
    """What one event says, by document."""

    sources: dict[str, SourceFacts] = {}
    customers: dict[str, CustomerFacts] = {}

    def __bool__(self) -> bool:
        """Tell whether there is anything to apply."""
        return bool(self.sources or self.customers)
