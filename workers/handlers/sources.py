"""Events about payment sources: cards, bank accounts, Sources, receivers."""

from service.event import Event
from workers.algebra.facts import FINAL, UNOWNED, USUAL, Facts, Group, SourceFacts, Times
from workers.algebra.objects import SOURCE_KINDS, Fields, identity, plain_source, text_of
from workers.handlers.records import group_of, phase_of, second_in, subject_of
from workers.handlers.registry import handles

EMBEDDED = "embedded"
"""The type of a record that stood in its customer's list and had no event of its own."""

_STATUSES = {"pending": 0, "chargeable": 1}
_LATER_STATUS = 2


@handles(
    "customer.source.created",
    "customer.source.updated",
    "customer.source.deleted",
    "customer.source.expiring",
    "customer.card.created",
    "customer.card.updated",
    "customer.card.deleted",
    "customer.bank_account.created",
    "customer.bank_account.updated",
    "customer.bank_account.deleted",
    "source.chargeable",
    "source.failed",
    "source.canceled",
    "source.refund_attributes_required",
    of=tuple(SOURCE_KINDS),
)
def source_changed(event: Event) -> Facts:
    """Tell of a source, of its owner, and of its coming or going."""
    source, fields = subject_of(event)
    second = second_in(event, fields)
    owner = identity(fields.get("customer"))
    told = SourceFacts(
        snapshots=snapshot_of(event, fields, event.object, at=second, own_event=True),
        owners={owner} if owner else set(),
        times=_times(event, fields, owner, second),
    )
    return Facts(sources={source: told}, customers={})


def snapshot_of(
    event: Event, fields: Fields, content: bytes, *, at: int, own_event: bool = False
) -> Group:
    """Return the record of a source, told by an event of its own or embedded in a customer."""
    record_type = event.type if own_event else EMBEDDED
    return group_of(
        event,
        second=at,
        content=plain_source(fields, content),
        previous=(event.previous or b"") if own_event else b"",
        phase=_phase(record_type, fields),
        status=_status(fields),
        record_type=record_type,
    )


def _phase(record_type: str, fields: Fields) -> int:
    phase = phase_of(record_type)
    if phase == FINAL or _is_consumed(fields):
        return FINAL
    if text_of(fields.get("object")) == "source" and not identity(fields.get("customer")):
        return UNOWNED
    return phase


def _status(fields: Fields) -> int:
    if text_of(fields.get("object")) != "source":
        return 0
    return _STATUSES.get(text_of(fields.get("status")), _LATER_STATUS)


def _times(event: Event, fields: Fields, owner: str, second: int) -> Times:
    phase = phase_of(event.type)
    if phase == FINAL or _is_consumed(fields):
        return Times(gone=second)
    if not owner:
        return Times()
    if phase != USUAL and event.type.startswith("customer."):
        return Times(added=second)
    return Times(seen=second)


def _is_consumed(fields: Fields) -> bool:
    return text_of(fields.get("status")) == "consumed"
