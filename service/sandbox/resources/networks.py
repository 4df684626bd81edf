"""Card networks: they renew a card without any request, and Stripe tells of it.

POST /v1/test_helpers/sources/:id/… lets it happen, as in `happenings`.
"""

from service.sandbox import readers as read
from service.sandbox.changes import previous_attributes
from service.sandbox.errors import Json, StripeError
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
    new = _renewed(tx, old)
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


def _renewed(tx: Transaction, source: Json) -> Json:
    """Return a source with what is on its new card; a new number has a new fingerprint."""
    given = tx.parameters
    of_card = source["object"] == "card"
    old = source if of_card else source["card"]
    new = cards.new_expiry(old, given, tx.second)
    if "last4" in given and (last4 := given.text("last4")) != old["last4"]:
        new |= {"last4": last4, "fingerprint": tx.ids.fingerprint(f"{old['fingerprint']} {last4}")}
    return source | new if of_card else source | {"card": old | new}
