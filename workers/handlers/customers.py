"""Events about customers: the customer itself, its default, and the sources embedded in it."""

from collections.abc import Sequence

from msgspec import Raw

from service.event import Event
from workers.algebra.facts import FINAL, CustomerFacts, Facts, SourceFacts, Times
from workers.algebra.objects import (
    LIST_FIELDS,
    Fields,
    default_of,
    embedded_sources,
    fields_of,
    identity,
    plain_customer,
    truth_of,
)
from workers.handlers.records import group_of, phase_of, second_in, subject_of, tell
from workers.handlers.registry import handles
from workers.handlers.sources import snapshot_of


@handles("customer.created", "customer.updated", "customer.deleted", of=("customer",))
def customer_changed(event: Event) -> Facts:
    """Tell of a customer, of its default now and before, and of each source it embeds."""
    customer, fields = subject_of(event)
    before = event.previous or b""
    previous = fields_of(before)
    second = second_in(event, fields)
    deleted = event.type == "customer.deleted" or truth_of(fields.get("deleted"))
    embedded, whole = embedded_sources(fields)
    facts = Facts(
        customers={
            customer: CustomerFacts(
                snapshots=group_of(
                    event,
                    second=second,
                    content=plain_customer(fields, event.object),
                    previous=b"" if previous is None else plain_customer(previous, before),
                    phase=FINAL if deleted else phase_of(event.type),
                ),
                deleted=deleted,
                told=event.type == "customer.updated",
                lists=_whole_list(fields, embedded, second) if whole else {},
            )
        },
        sources={},
    )
    _tell_of_defaults(facts, event, customer, fields, previous, second)
    _tell_of_embedded(facts, event, customer, embedded, second)
    return facts


def _whole_list(
    fields: Fields, embedded: Sequence[Raw], second: int
) -> dict[int, set[tuple[str, ...]]]:
    ids = tuple(identity(item) for item in embedded)
    embeds = any(name in fields for name in LIST_FIELDS)
    return {second: {ids}} if embeds and all(ids) else {}


def _tell_of_defaults(  # noqa: PLR0913, PLR0917 - the whole of one row of the table of facts
    facts: Facts,
    event: Event,
    customer: str,
    fields: Fields,
    previous: Fields | None,
    second: int,
) -> None:
    now = default_of(fields)
    before = default_of(previous) if previous is not None else None
    if now:
        began = event.type == "customer.created" or (
            before == "" and event.type != "customer.deleted"
        )
        times = Times(seen=second)
        if began:
            times = Times(added=second, seen=second, first=second)
        tell(facts, now, SourceFacts(owners={customer}, times=times))
    if before:
        # Nothing took its place, so it was the last one: a default goes to null in no other way.
        was_last = now == "" and event.type == "customer.updated"
        times = Times(seen=second, gone=second) if was_last else Times(seen=second)
        tell(facts, before, SourceFacts(owners={customer}, times=times))


def _tell_of_embedded(
    facts: Facts, event: Event, customer: str, items: Sequence[Raw], second: int
) -> None:
    for item in items:
        embedded = fields_of(item)
        source = identity(item)
        if not (embedded and source):
            continue
        if identity(embedded.get("customer")) in {"", customer}:
            told = SourceFacts(
                snapshots=snapshot_of(event, embedded, bytes(item), at=second),
                owners={customer},
                times=Times(seen=second),
            )
            tell(facts, source, told)
