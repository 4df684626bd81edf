"""Mandates: a customer's permission to debit. Checked; Stripe shows nothing of what was posted."""

from service.sandbox import readers as read
from service.sandbox.errors import Json, StripeError
from service.sandbox.parameters import Parameters

DEBITS = frozenset({"sepa_debit"})
"""The types of Sources that need one."""

MANDATE = {
    "amount": read.amount,
    "currency": read.currency,
    "interval": read.one_of("one_time", "scheduled", "variable"),
    "notification_method": read.one_of(
        "deprecated_none", "email", "manual", "none", "stripe_email"
    ),
}
ACCEPTANCE = {
    "date": read.integer,
    "ip": read.text,
    "status": read.one_of("accepted", "pending", "refused", "revoked"),
    "type": read.one_of("offline", "online"),
    "user_agent": read.text,
}


def check(source: Json, parameters: Parameters) -> None:
    """Raise StripeError for a posted mandate that this Source cannot have."""
    if "mandate" not in parameters:
        return
    if source["type"] not in DEBITS:
        raise StripeError(f"A source of type {source['type']} takes no mandate.", param="mandate")
    given = parameters.hash("mandate")
    given.only("acceptance", *MANDATE)
    given.changes(MANDATE)
    if "acceptance" in given:
        acceptance = given.hash("acceptance")
        acceptance.only("offline", "online", *ACCEPTANCE)
        acceptance.require("status")
        acceptance.changes(ACCEPTANCE)
