"""Bitcoin receivers: what old accounts had before Stripe gave Bitcoin up."""

from service.sandbox import readers as read
from service.sandbox.changes import in_order
from service.sandbox.errors import Json
from service.sandbox.ids import Ids
from service.sandbox.metadata import merged
from service.sandbox.parameters import Parameters

MAKING = ("object", "amount", "currency", "description", "email", "metadata")
SATOSHIS_PER_CENT = 17_579
"""Any rate would do; this one is that of a receiver captured in 2015."""


def receiver(receiver_id: str, given: Parameters, ids: Ids, second: int) -> Json:
    """Return the receiver that these attributes describe; raises StripeError."""
    for key in ("amount", "currency", "email"):
        given.require(key)
    amount = read.amount(given, "amount") or 0
    satoshis = amount * SATOSHIS_PER_CENT
    inbound = ids.short("test")
    return in_order(
        {
            "id": receiver_id,
            "object": "bitcoin_receiver",
            "active": False,
            "amount": amount,
            "amount_received": 0,
            "bitcoin_amount": satoshis,
            "bitcoin_amount_received": 0,
            "bitcoin_uri": f"bitcoin:{inbound}?amount={satoshis / 100_000_000:.8f}",
            "created": second,
            "currency": read.currency(given, "currency"),
            "customer": None,
            "description": given.text("description"),
            "email": read.email(given, "email"),
            "filled": False,
            "inbound_address": inbound,
            "livemode": False,
            "metadata": merged({}, given),
            "refund_address": None,
            "uncaptured_funds": False,
            "used_for_payment": False,
        }
    )


def changed(old: Json, given: Parameters) -> Json:
    """Return a receiver after an update; raises StripeError."""
    given.only("description", "email", "metadata")
    values = given.changes({"description": read.text, "email": read.email})
    return old | values | {"metadata": merged(old["metadata"], given)}
