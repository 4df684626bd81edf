"""What an event tells, and what of it shapes the present answers."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from service.compression import LackingError, UnreadableError
from service.drop import Drop
from service.keys import Namespace, customer_key, source_key
from service.projection import Projection
from workers.algebra.facts import NEVER, CustomerFacts, Facts, Group, Record, SourceFacts, Times
from workers.algebra.links import A, F
from workers.algebra.seconds import newest
from workers.algebra.views import has_second_view, in_shared_values
from workers.deriving import CUSTOMERS, SOURCES, Kind
from workers.operators.moments import iso

Standing: TypeAlias = Literal["shapes", "kept", "outdone", "absent"]

TIMES = ("added", "seen", "first", "gone")
DECISIVE_TIMES = ("added", "first", "gone")
"""Each of these is the least that any event tells; `seen` only bounds them."""

_NOT_IN_IT = "not in the document"


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
    """Return every fact of an event with its standing in the documents as they are now.

    Raises:
        LackingError: a document is whole, and this process lacks what it takes to read it.

    """
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
    answer, known, missing = _known(SOURCES, value, drop)
    kind = answer.kind if answer else ""
    snapshot = newest(known.snapshots, silent=kind == "source").record
    shared = (
        newest(in_shared_values(known.snapshots, known.views, kind), silent=kind == "source").record
        if known.views and has_second_view(kind)
        else newest(known.views).record
    )
    chosen = {record.event for record in (snapshot, shared) if record}
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
    _, known, missing = _known(CUSTOMERS, value, drop)
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


def _known(kind: Kind[F, A], value: bytes | None, drop: Drop) -> tuple[A | None, F, str]:
    """Return what a document holds; where that is nothing, why."""
    if value is None:
        return None, kind.empty(), "there is no such document"
    try:
        _, answer, packed = kind.decode(value)
        return answer, kind.bare(kind.decode_facts(packed), drop), ""
    except LackingError:
        raise
    except UnreadableError:
        return None, kind.empty(), "the document is damaged"


def _records(group: Group) -> Iterator[tuple[int, Record]]:
    for second, records in sorted(group.items()):
        for record in records.values():
            yield second, record


def _record_standing(
    second: int, record: Record, kept: Group, chosen: set[str], *, missing: str
) -> tuple[Standing, str]:
    if missing:
        return "absent", missing
    if second not in kept:
        newer = kept and min(kept) > second
        return ("outdone", "newer ones are kept") if newer else ("absent", _NOT_IN_IT)
    stored = kept[second].get(record.key)
    if stored is None:
        return "absent", _NOT_IN_IT
    same = "" if stored.event == record.event else f" (as told by {stored.event})"
    if stored.event in chosen:
        return "shapes", f"the chosen one{same}"
    return "kept", f"another one is chosen{same}"


def _times(source: str, told: Times, known: Times, *, missing: str) -> Iterator[ToldFact]:
    for name in TIMES:
        moment, earliest = getattr(told, name), getattr(known, name)
        if moment == NEVER:
            continue
        standing, why = _held(
            held=moment == earliest,
            missing=missing or (_NOT_IN_IT if earliest > moment else ""),
            other=f"{_moment(earliest)} is known",
        )
        if standing == "kept" and name in DECISIVE_TIMES:
            standing, why = "shapes", "the earliest known"
        yield ToldFact("source", source, name, _moment(moment), standing, why)


def _held(*, held: bool, missing: str, other: str = _NOT_IN_IT) -> tuple[Standing, str]:
    if missing:
        return "absent", missing
    return ("kept", "in the document") if held else ("outdone", other)


def _moment(second: int) -> str:
    return "never" if second == NEVER else iso(second).replace(".000Z", "Z")
