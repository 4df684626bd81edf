"""Events about PaymentMethods whose id is a card's or a Source's: a second view of that source."""

from service.event import Event
from workers.algebra.facts import FINAL, FIRST, Facts, SourceFacts, Times
from workers.algebra.objects import fields_of, identity
from workers.algebra.views import shared_by_payment_method
from workers.handlers.records import group_of, phase_of, second_in, subject_of
from workers.handlers.registry import handles


@handles(
    "payment_method.attached",
    "payment_method.updated",
    "payment_method.detached",
    "payment_method.automatically_updated",
    "payment_method.card_automatically_updated",
    of=("payment_method",),
)
def payment_method_changed(event: Event) -> Facts:
    """Tell what both views share of a source; a PaymentMethod proper is no source of ours."""
    source, fields = subject_of(event)
    if source.startswith("pm_"):
        return Facts()
    second = second_in(event, fields)
    previous = fields_of(event.previous)
    phase = phase_of(event.type)
    owner = identity((previous or {}).get("customer") if phase == FINAL else fields.get("customer"))
    told = SourceFacts(
        views=group_of(
            event,
            second=second,
            content=shared_by_payment_method(event.object),
            previous=shared_by_payment_method(event.previous) if event.previous else b"",
            phase=phase,
        ),
        owners={owner} if owner else set(),
        times=_times(phase, owner, second),
    )
    return Facts(sources={source: told}, customers={})


def _times(phase: int, owner: str, second: int) -> Times:
    if phase == FINAL:
        return Times(gone=second)
    if not owner:
        return Times()
    return Times(added=second) if phase == FIRST else Times(seen=second)
