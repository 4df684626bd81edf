"""The table of event types: those of Stripe's that tell of payment sources, and one of our own."""

from itertools import product

PROJECTED_TYPES = frozenset(
    f"{family}.{change}"
    for families, changes in (
        (("customer", "customer.card", "customer.bank_account"), ("created", "updated", "deleted")),
        (("customer.source",), ("created", "updated", "deleted", "expiring")),
        (("source",), ("chargeable", "failed", "canceled", "refund_attributes_required")),
        (("source",), ("mandate_notification", "transaction.created", "transaction.updated")),
        (("payment_method",), ("attached", "updated", "detached")),
        (("payment_method",), ("automatically_updated", "card_automatically_updated")),
    )
    for family, change in product(families, changes)
)
"""The types that say something about customers and payment sources."""

READ_TYPE = "onfile.read"
"""Ours: what a read of Stripe found. It comes into the log from our own hand alone, so a delivery
that calls itself so is of a type that is not projected."""

LOGGED_TYPES = PROJECTED_TYPES | {READ_TYPE}
"""All that an entry of the log can be."""
