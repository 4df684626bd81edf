"""What a read of Stripe found: a customer with all its sources, and those it no longer has."""

import msgspec

from service.event import Event
from service.event_types import READ_TYPE
from workers.algebra.facts import Facts, SourceFacts, Times
from workers.algebra.objects import fields_of, identity, ids_in
from workers.handlers.customers import customer_changed
from workers.handlers.records import second_in, subject_of, tell
from workers.handlers.registry import UnprojectableError, handles


@handles(READ_TYPE)
def customer_read(event: Event) -> Facts:
    """Tell what the customer shows, with its whole list, and that what it lacks has gone."""
    customer, fields = subject_of(event)
    shown = fields_of(fields.get("customer")) or {}
    if identity(shown.get("id")) != customer:
        raise UnprojectableError("reading_without_customer", "it does not show its customer")
    facts = customer_changed(msgspec.structs.replace(event, object=bytes(fields["customer"])))
    second = second_in(event, shown)
    for source in ids_in(fields.get("gone")):
        tell(facts, source, SourceFacts(owners={customer}, times=Times(gone=second)))
    return facts
