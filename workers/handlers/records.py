"""What all handlers share: the subject of an event, its second, and the record made of it."""

from service.event import Event
from workers.facts import FINAL, FIRST, NEVER, USUAL, Facts, Group, Record, SourceFacts
from workers.handlers.registry import UnprojectableError
from workers.merge import merge_sources
from workers.objects import Fields, fields_of, second_of, text_of

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

    The object may be younger than its envelope: the dashboard's test webhooks are of 2012.
    """
    told = max(event.created, second_of(fields.get("created")))
    return max(0, min(told, NEVER - 1))


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
    """Return the group that holds one record of an event, and nothing else."""
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


def tell(facts: Facts, source: str, told: SourceFacts) -> None:
    """Add what is told of a source; one event may tell of it several times."""
    known = facts.sources.get(source)
    facts.sources[source] = merge_sources(known, told) if known else told
