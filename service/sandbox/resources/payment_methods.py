"""The second view: a card or a Source seen as a PaymentMethod, under its own id.

An update through this view tells `payment_method.updated` alone; the source has changed with it.
"""

from http import HTTPStatus

from service.sandbox import readers as read
from service.sandbox.changes import previous_attributes
from service.sandbox.errors import Json, StripeError, missing
from service.sandbox.metadata import merged
from service.sandbox.parameters import Parameters
from service.sandbox.resources import cards, owners
from service.sandbox.resources.payment_method_views import CARD_ADDRESS, has_view, view
from service.sandbox.transaction import Transaction

CHANGING = ("billing_details", "card", "metadata")


def retrieve(tx: Transaction) -> Json:
    """GET /v1/payment_methods/:id."""
    tx.parameters.only()
    return view(tx, _named(tx))


def update(tx: Transaction) -> Json:
    """POST /v1/payment_methods/:id."""
    given = tx.parameters
    given.only(*CHANGING)
    old = _named(tx)
    before = view(tx, old)
    details = given.hash("billing_details")
    details.only("address", "email", "name", "phone")
    new = old | {"metadata": merged(old["metadata"], given)}
    if old["object"] == "card":
        new = new | _of_card(tx, new, details)
    else:
        new = new | {"owner": _owner(old, given)}
    new = new | _expiry(tx, new, given)
    tx.books.sources[old["id"]] = new
    after = view(tx, new)
    if changes := previous_attributes(before, after):
        tx.tell("payment_method.updated", after, changes)
    return after


def _named(tx: Transaction) -> Json:
    payment_method_id = tx.names[0]
    source = tx.books.sources.get(payment_method_id)
    if source is None or source.get("deleted") or not has_view(source):
        raise missing("PaymentMethod", payment_method_id)
    if not source.get("customer"):
        raise StripeError(
            "A source must be attached to a customer to be used as a `payment_method`.",
            status=HTTPStatus.BAD_REQUEST,
            param="payment_method",
        )
    return source


def _of_card(tx: Transaction, card: Json, details: Parameters) -> Json:
    """Return the card's fields that posted billing details change."""
    contact = details.changes({"email": read.email, "phone": read.text})
    if contact:
        tx.books.contacts[card["id"]] = tx.books.contacts.get(card["id"], {}) | contact
    address = details.hash("address")
    posted = read.address(details, "address") or {}
    changed = {CARD_ADDRESS[part]: value for part, value in posted.items() if part in address}
    return changed | details.changes({"name": read.text})


def _owner(source: Json, given: Parameters) -> Json:
    """Return the Source's owner with posted billing details in it."""
    if "billing_details" not in given:
        owner: Json = source["owner"]
        return owner
    details = given.value("billing_details")
    return owners.merged(source["owner"], Parameters({"owner": details}))


def _expiry(tx: Transaction, source: Json, given: Parameters) -> Json:
    if "card" not in given:
        return {}
    details = given.hash("card")
    details.only("exp_month", "exp_year")
    if source["object"] == "card":
        return cards.new_expiry(source, details, tx.second)
    if source["type"] != "card":
        raise StripeError("You may only update the card of a card PaymentMethod.", param="card")
    return {"card": source["card"] | cards.new_expiry(source["card"], details, tx.second)}
