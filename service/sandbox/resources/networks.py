"""Card networks: they renew a card without any request, and Stripe tells of it.

POST /v1/test_helpers/sources/:id/… lets it happen, as in `happenings`.
"""

from service.sandbox import readers as read
from service.sandbox.changes import previous_attributes
from service.sandbox.errors import Json, StripeError
from service.sandbox.parameters import Parameters
from service.sandbox.resources import cards
from service.sandbox.resources.happenings import named
from service.sandbox.resources.payment_method_views import view
from service.sandbox.transaction import Transaction

UPDATED = "customer.source.updated"
UPDATES = read.one_of(UPDATED, "payment_method.automatically_updated", "payment_method.updated")


def update_by_network(tx: Transaction) -> Json:
    """POST …/network_update: the card network has issued a new card.

    `exp_month`, `exp_year`, `last4` say what is on it; `event` which one of Stripe's events tells.
    """
    given = tx.parameters
    given.only("event", "exp_month", "exp_year", "last4")
    event = UPDATES(given, "event") if "event" in given else UPDATED
    old = _owned(tx)
    if event == UPDATED:
        _refuse_deleted_customer(tx, old)
    new = _renewed(old, given, tx.second)
    tx.books.sources[old["id"]] = new
    if event == UPDATED:
        tx.tell(event, new, previous_attributes(old, new))
    else:
        before, after = view(tx, old), view(tx, new)
        tx.tell(event, after, previous_attributes(before, after))
    return new


def expire(tx: Transaction) -> Json:
    """POST …/expire: the card, or the Source, will not be good for long."""
    tx.parameters.only()
    source = _owned(tx)
    _refuse_deleted_customer(tx, source)
    tx.tell("customer.source.expiring", source)
    return source


def _owned(tx: Transaction) -> Json:
    """Return a card, or a Source with a card, that a customer has or had when it was deleted."""
    source = named(tx)
    of_card = source["object"] == "card" or source.get("type") == "card"
    if not of_card or not source.get("customer"):
        raise StripeError("This takes a customer's card.", param="id")
    return source


def _refuse_deleted_customer(tx: Transaction, source: Json) -> None:
    if tx.books.customers[source["customer"]].get("deleted"):
        raise StripeError(
            "Its customer is deleted: only payment_method.updated and "
            "payment_method.automatically_updated may still come.",
            param="event",
        )


def _renewed(source: Json, given: Parameters, second: int) -> Json:
    old = source if source["object"] == "card" else source["card"]
    new = cards.new_expiry(old, given, second) | given.changes({"last4": read.text})
    return source | new if source["object"] == "card" else source | {"card": old | new}
