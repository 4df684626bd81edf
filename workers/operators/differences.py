"""What differs between an answer and what Stripe shows, told by kind and never by its values."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from service.documents import CustomerAnswer
from workers.algebra.objects import (
    DEFAULT_FIELDS,
    LIST_FIELDS,
    default_of,
    fields_of,
    identity,
    parsed,
    text_of,
)
from workers.asking.reads import Read

Kind: TypeAlias = Literal[
    "missing", "orphan", "wrong default", "wrong order", "silent update", "stale"
]

SILENT_FIELDS = frozenset({"discount", "next_invoice_sequence"})
"""What changes on a customer without an event of its own."""

ELSEWHERE = frozenset({*LIST_FIELDS, *DEFAULT_FIELDS, "subscriptions", "tax_ids"})
"""Compared by itself, or no part of the answer."""


class Difference(msgspec.Struct, frozen=True):
    """One way in which an answer is not Stripe's."""

    customer: str
    kind: Kind
    """missing: Stripe has it and we do not; orphan: the other way round; silent update: a change
    that Stripe tells in no event; stale: one that it does, so that an event was missed."""
    object: str
    """The customer or source that differs."""
    fields: list[str]
    """Which of its fields differ, where both have it."""
    doubted: bool
    """The answer itself says that events cannot tell this."""


def differences(answer: CustomerAnswer | None, read: Read) -> list[Difference]:
    """Return how an answer differs from what Stripe shows of the customer."""
    customer = read.customer
    if answer is None or (answer.deleted and not read.deleted):
        return [Difference(customer, "missing", customer, [], doubted=False)]
    if read.deleted:
        return [] if answer.deleted else [unknown_to_stripe(customer)]
    doubts = {*answer.ambiguous}
    return [
        *_of_default(answer, read, doubted="default" in doubts),
        *_of_customer(answer, read, doubted="object" in doubts),
        *_of_sources(answer, read, doubts),
    ]


def unknown_to_stripe(customer: str) -> Difference:
    """Return that Stripe does not have a customer."""
    return Difference(customer, "orphan", customer, [], doubted=False)


def _of_default(answer: CustomerAnswer, read: Read, *, doubted: bool) -> Iterator[Difference]:
    if answer.default != (default_of(read.fields) or ""):
        kind: Kind = "wrong default"
        yield Difference(read.customer, kind, read.customer, ["default_source"], doubted=doubted)


def _of_customer(answer: CustomerAnswer, read: Read, *, doubted: bool) -> Iterator[Difference]:
    shown = msgspec.json.encode(read.fields)
    if fields := _differing(answer.body, shown) - ELSEWHERE:
        kind: Kind = "silent update" if fields <= SILENT_FIELDS else "stale"
        yield Difference(read.customer, kind, read.customer, sorted(fields), doubted=doubted)


def _of_sources(answer: CustomerAnswer, read: Read, doubts: set[str]) -> Iterator[Difference]:
    ours = {source.id: source.body for source in answer.sources}
    theirs = {identity(source): bytes(source) for source in read.sources}
    for source in theirs.keys() - ours.keys():
        yield Difference(read.customer, "missing", source, [], doubted=False)
    for source in ours.keys() - theirs.keys():
        yield Difference(read.customer, "orphan", source, [], doubted=False)
    for source in theirs.keys() & ours.keys():
        if fields := _differing(ours[source], theirs[source]):
            silent = text_of((fields_of(theirs[source]) or {}).get("object")) == "source"
            yield Difference(
                read.customer,
                "silent update" if silent else "stale",
                source,
                sorted(fields),
                doubted="object" in doubts,
            )
    if ours.keys() == theirs.keys() and list(ours) != list(theirs):
        yield Difference(read.customer, "wrong order", read.customer, [], doubted="order" in doubts)


def _differing(ours: bytes, theirs: bytes) -> set[str]:
    """Return the names under which two objects hold different values."""
    left, right = parsed(ours), parsed(theirs)
    if not (isinstance(left, dict) and isinstance(right, dict)):
        return {"object"}
    names = left.keys() | right.keys()
    return {
        name for name in names if name not in left or name not in right or left[name] != right[name]
    }
