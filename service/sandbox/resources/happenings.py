"""What happens to Sources without a request of ours: money arrives, customers and banks decide.

POST /v1/test_helpers/sources/:id/… lets it happen. The events name no request, as Stripe's do when
it acts by itself.
"""

from service.sandbox import readers as read
from service.sandbox.errors import Json, StripeError, missing
from service.sandbox.transaction import Transaction


def make_chargeable(tx: Transaction) -> Json:
    """POST …/chargeable: the customer has agreed, or the money is there."""
    tx.parameters.only()
    source = _in_status(tx, "pending")
    return _settle(tx, source, "chargeable", redirect="succeeded")


def fail(tx: Transaction) -> Json:
    """POST …/fail: the customer or the bank has said no."""
    tx.parameters.only()
    return _settle(tx, _in_status(tx, "pending"), "failed", redirect="failed")


def cancel(tx: Transaction) -> Json:
    """POST …/cancel: nobody used it in time."""
    tx.parameters.only()
    return _settle(tx, _in_status(tx, "pending", "chargeable"), "canceled", redirect="failed")


def receive_money(tx: Transaction) -> Json:
    """POST …/receive `amount`: money arrives; the first makes the Source chargeable."""
    tx.parameters.only("amount")
    tx.parameters.require("amount")
    amount = read.amount(tx.parameters, "amount") or 0
    source = _receiver(tx)
    received = source["receiver"]["amount_received"] + amount
    source = source | {"receiver": source["receiver"] | {"amount_received": received}}
    tx.books.sources[source["id"]] = source
    transaction = {
        "id": tx.ids.of_second("srctxn", tx.second),
        "object": "source_transaction",
        source["type"]: {"fingerprint": source[source["type"]]["fingerprint"]},
        "amount": amount,
        "created": tx.second,
        "currency": source["currency"],
        "livemode": False,
        "source": source["id"],
        "status": "succeeded",
        "type": source["type"],
    }
    tx.tell("source.transaction.created", transaction)
    if source["status"] == "pending":
        _settle(tx, source, "chargeable", redirect="succeeded")
    return transaction


def require_refund_attributes(tx: Transaction) -> Json:
    """POST …/require_refund_attributes: a refund needs to know where to."""
    tx.parameters.only()
    source = _receiver(tx)
    source = source | {"receiver": source["receiver"] | {"refund_attributes_status": "requested"}}
    tx.books.sources[source["id"]] = source
    tx.tell("source.refund_attributes_required", source)
    return source


def notify_mandate(tx: Transaction) -> Json:
    """POST …/notify_mandate: the customer is to be told of a debit."""
    tx.parameters.only("amount")
    source = named(tx)
    if source.get("type") != "sepa_debit":
        raise StripeError("Only a source of type sepa_debit has a mandate.", param="id")
    debit = source["sepa_debit"]
    notification = {
        "id": tx.ids.of_second("srcmn", tx.second),
        "object": "source_mandate_notification",
        "amount": tx.parameters.changes({"amount": read.amount}).get("amount"),
        "created": tx.second,
        "livemode": False,
        "reason": "debit_initiated",
        "sepa_debit": {
            "creditor_identifier": "TEST42ZZZ0000424242",
            "last4": debit["last4"],
            "mandate_reference": debit["mandate_reference"],
        },
        "source": source,
        "status": "submitted",
        "type": "sepa_debit",
    }
    tx.tell("source.mandate_notification", notification)
    return notification


def named(tx: Transaction) -> Json:
    """Return the source that the path names; raises StripeError."""
    source = tx.books.sources.get(tx.names[0])
    if source is None or source.get("deleted"):
        raise missing("source", tx.names[0])
    return source


def _in_status(tx: Transaction, *statuses: str) -> Json:
    source = named(tx)
    if source["object"] != "source" or source["status"] not in statuses:
        status = source.get("status", "no status")
        raise StripeError(
            f"This takes a Source that is {' or '.join(statuses)}; this one is {status}.",
            param="id",
        )
    return source


def _settle(tx: Transaction, source: Json, status: str, *, redirect: str) -> Json:
    """Give a Source another status and tell it."""
    source = source | {"status": status}
    if "redirect" in source:
        reason = "declined" if status == "failed" else None
        outcome = {"status": redirect, "failure_reason": reason}
        source = source | {"redirect": source["redirect"] | outcome}
    if source["type"] == "three_d_secure":
        authenticated = {"authenticated": status == "chargeable"}
        source = source | {"three_d_secure": source["three_d_secure"] | authenticated}
    tx.books.sources[source["id"]] = source
    tx.tell(f"source.{status}", source)
    return source


def _receiver(tx: Transaction) -> Json:
    source = _in_status(tx, "pending", "chargeable")
    if "receiver" not in source:
        raise StripeError("This takes a Source that money is sent to.", param="id")
    return source
