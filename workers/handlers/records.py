"""What all handlers share: the subject of an event, its second, and the record made of it."""

import msgspec

from service.event import Event
from workers.algebra.facts import FINAL, FIRST, NEVER, USUAL, Facts, Group, Record, SourceFacts
from workers.algebra.merge import merge_sources
from workers.algebra.objects import Fields, Json, fields_of, parsed, second_of, text_of
from workers.handlers.registry import UnprojectableError

DEEPEST = 100
"""Stripe nests some ten levels; what is compared later is walked level by level."""

_PHASES = {"created": FIRST, "attached": FIRST, "deleted": FINAL, "detached": FINAL}


def subject_of(event: Event) -> tuple[str, Fields]:
    """Return the id and the fields of the object an event is about.

    Raises:
        UnprojectableError: it has no id, so nothing can be known of it.

    """
    fields = fields_of(event.object) or {}
    subject = text_of(fields.get("id"))
    if not subject:
        raise UnprojectableError("object_without_id", f"the object of {event.type} has no id")
    return subject, fields


def second_in(event: Event, fields: Fields) -> int:
    """Return when it happened, in unix seconds.

    The object may be younger than its envelope: the dashboard's test webhooks are of 2012. What is
    no second of this age (milliseconds, say) tells nothing: taken at its word it would outrank
    all that ever follows.
    """
    told = (event.created, second_of(fields.get("created")))
    return max((second for second in told if 0 <= second < NEVER), default=0)


def phase_of(event_type: str) -> int:
    """Return the phase that the last word of an event's type tells."""
    return _PHASES.get(event_type.rpartition(".")[2], USUAL)


def group_of(  # noqa: PLR0913 - a record is made of many small things
    event: Event,
    *,
    second: int,
    content: bytes,
    previous: bytes,
    phase: int,
    status: int = 0,
    record_type: str = "",
) -> Group:
    """Return the group that holds one record of an event, and nothing else.

    Raises:
        UnprojectableError: its JSON cannot be read to its end. Found out only later, when another
            event of its second makes somebody look, it would be that other event's failure.

    """
    for part in filter(None, (content, previous)):
        _check(part)
    record = Record(
        type=record_type or event.type,
        phase=phase,
        status=status,
        request=event.request,
        event=event.id,
        api_version=event.api_version,
        object=content,
        previous=previous,
    )
    return {second: {record.key: record}}


def _check(content: bytes) -> None:
    try:
        value = parsed(content)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnprojectableError("object_unreadable", str(error)) from None
    # Hardly anything has so many brackets in all; counting them costs nothing.
    if content.count(b"{") + content.count(b"[") <= DEEPEST:
        return
    if (depth := _depth(value)) > DEEPEST:
        raise UnprojectableError("object_too_deep", f"its values are nested {depth} deep")


def _depth(value: Json) -> int:
    """Return how deep objects and lists are nested, without recursion."""
    depth, level = 0, [value]
    while level := [
        inner
        for outer in level
        if isinstance(outer, dict | list)
        for inner in (outer.values() if isinstance(outer, dict) else outer)
    ]:
        depth += 1
    return depth


def tell(facts: Facts, source: str, told: SourceFacts) -> None:
    """Add what is told of a source; one event may tell of it several times."""
    known = facts.sources.get(source)
    facts.sources[source] = merge_sources(known, told) if known else told
