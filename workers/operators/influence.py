"""What an event tells, and what of it shapes the present answers."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from service.documents import CustomerAnswer, SourceAnswer, decode_customer, decode_source
from service.drop import Drop
from service.keys import Namespace, customer_key, source_key
from service.projection import Projection
from workers.algebra.bare import bare_customer, bare_source
from workers.algebra.facts import NEVER, CustomerFacts, Facts, Group, Record, SourceFacts, Times
from workers.algebra.seconds import newest
from workers.algebra.views import has_second_view, in_shared_values
from workers.operators.moments import iso

Standing: TypeAlias = Literal["shapes", "kept", "outdone", "absent"]

TIMES = ("added", "seen", "first", "gone")
DECISIVE_TIMES = ("added", "first", "gone")
"""Each of these is the least that any event tells; `seen` only bounds them."""


class ToldFact(msgspec.Struct, frozen=True):
    """One fact of an event, and where it stands."""

    document: Literal["source", "customer"]
    id: str
    fact: str
    """snapshot, view, owner, added, seen, first, gone, deleted, told, list."""
    value: str
    """The moment, the owner, or how much is shown."""
    standing: Standing
    """shapes: the present answer is made of it; kept: the document holds it and the answer would be
    the same without it; outdone: another fact has taken its place; absent: the document lacks it,
    so the event is not applied."""
    why: str


def told_facts(projection: Projection, namespace: Namespace, facts: Facts) -> list[ToldFact]:
    """Return every fact of an event with its standing in the documents as they are now."""
    sources, customers = list(facts.sources), list(facts.customers)
    keys = [source_key(namespace, one) for one in sources]
    keys += [customer_key(namespace, one) for one in customers]
    values = projection.load(keys)
    found: list[ToldFact] = []
    for source, value in zip(sources, values[: len(sources)], strict=True):
        found += _of_source(source, facts.sources[source], value, projection.drop)
    for customer, value in zip(customers, values[len(sources) :], strict=True):
        found += _of_customer(customer, facts.customers[customer], value, projection.drop)
    return found


def _of_source(
    source: str, told: SourceFacts, value: bytes | None, drop: Drop
) -> Iterator[ToldFact]:
    answer: SourceAnswer | None = None
    known = SourceFacts()
    if value is not None:
        _, answer, packed = decode_source(value)
        known = bare_source(_SOURCE_FACTS.decode(packed), drop)
    kind = answer.kind if answer else ""
    snapshot = newest(known.snapshots, silent=kind == "source").record
    shared = (
        newest(in_shared_values(known.snapshots, known.views, kind), silent=kind == "source").record
        if known.views and has_second_view(kind)
        else newest(known.views).record
    )
    chosen = {record.event for record in (snapshot, shared) if record}
    missing = answer is None
    for fact, group, kept in (
        ("snapshot", told.snapshots, known.snapshots),
        ("view", told.views, known.views),
    ):
        for second, record in _records(group):
            standing, why = _record_standing(second, record, kept, chosen, missing=missing)
            yield ToldFact("source", source, fact, _moment(second), standing, why)
    for owner in sorted(told.owners):
        standing, why = _held(held=owner in known.owners, missing=missing)
        yield ToldFact("source", source, "owner", owner, standing, why)
    yield from _times(source, told.times, known.times, missing=missing)


def _of_customer(
    customer: str, told: CustomerFacts, value: bytes | None, drop: Drop
) -> Iterator[ToldFact]:
    answer: CustomerAnswer | None = None
    known = CustomerFacts()
    if value is not None:
        _, answer, packed = decode_customer(value)
        known = bare_customer(_CUSTOMER_FACTS.decode(packed), drop)
    missing = answer is None
    record = newest(known.snapshots).record
    chosen = {record.event} if record and not known.deleted else set()
    for second, one in _records(told.snapshots):
        standing, why = _record_standing(second, one, known.snapshots, chosen, missing=missing)
        if standing == "kept" and known.deleted:
            why = "the customer is deleted"
        yield ToldFact("customer", customer, "snapshot", _moment(second), standing, why)
    if told.deleted:
        standing, why = _held(held=known.deleted, missing=missing)
        if standing == "kept":
            standing, why = "shapes", "deleted stays deleted"
        yield ToldFact("customer", customer, "deleted", "yes", standing, why)
    if told.told:
        standing, why = _held(held=known.told, missing=missing)
        yield ToldFact("customer", customer, "told", "yes", standing, why)
    for second, lists in told.lists.items():
        for one_list in sorted(lists):
            held = one_list in known.lists.get(second, set())
            standing, why = _held(held=held, missing=missing, other="a newer list is kept")
            shown = f"{_moment(second)}, {len(one_list)} sources"
            yield ToldFact("customer", customer, "list", shown, standing, why)


def _records(group: Group) -> Iterator[tuple[int, Record]]:
    for second, records in sorted(group.items()):
        for record in records.values():
            yield second, record


def _record_standing(
    second: int, record: Record, kept: Group, chosen: set[str], *, missing: bool
) -> tuple[Standing, str]:
    if missing:
        return "absent", "there is no such document"
    if second not in kept:
        newer = kept and min(kept) > second
        return ("outdone", "newer ones are kept") if newer else ("absent", "not in the document")
    stored = kept[second].get(record.key)
    if stored is None:
        return "absent", "not in the document"
    same = "" if stored.event == record.event else f" (as told by {stored.event})"
    if stored.event in chosen:
        return "shapes", f"the chosen one{same}"
    return "kept", f"another one is chosen{same}"


def _times(source: str, told: Times, known: Times, *, missing: bool) -> Iterator[ToldFact]:
    for name in TIMES:
        moment, earliest = getattr(told, name), getattr(known, name)
        if moment == NEVER:
            continue
        standing, why = _held(
            held=moment == earliest,
            missing=missing or earliest > moment,
            other=f"{_moment(earliest)} is known",
        )
        if standing == "kept" and name in DECISIVE_TIMES:
            standing, why = "shapes", "the earliest known"
        yield ToldFact("source", source, name, _moment(moment), standing, why)


def _held(*, held: bool, missing: bool, other: str = "not in the document") -> tuple[Standing, str]:
    if missing:
        return "absent", "not in the document"
    return ("kept", "in the document") if held else ("outdone", other)


def _moment(second: int) -> str:
    return "never" if second == NEVER else iso(second).replace(".000Z", "Z")


_SOURCE_FACTS = msgspec.msgpack.Decoder(SourceFacts)
_CUSTOMER_FACTS = msgspec.msgpack.Decoder(CustomerFacts)
