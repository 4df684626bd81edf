"""Making a Source: nobody's yet, chargeable at once or pending until somebody agrees."""

from service.sandbox import readers as read
from service.sandbox.changes import in_order
from service.sandbox.errors import Json, StripeError
from service.sandbox.metadata import merged
from service.sandbox.parameters import Parameters
from service.sandbox.resources import mandates, owners, source_orders
from service.sandbox.resources.source_types import TYPES, SourceType
from service.sandbox.transaction import Transaction

MAKING = (
    "amount",
    "currency",
    "flow",
    "mandate",
    "metadata",
    "owner",
    "receiver",
    "redirect",
    "source_order",
    "statement_descriptor",
    "token",
    "type",
    "usage",
    *TYPES,
)

usage = read.one_of("reusable", "single_use")
refund_attributes_method = read.one_of("email", "manual", "none")


def create(tx: Transaction) -> Json:
    """POST /v1/sources: make a Source that is nobody's."""
    given = tx.parameters
    given.only(*MAKING)
    kind = given.needed("type")
    if kind not in TYPES:
        raise StripeError(
            f"Invalid type: must be one of {', '.join(TYPES)}. (Those are the types that this "
            "sandbox knows.)",
            param="type",
        )
    type_ = TYPES[kind]
    source: Json = {
        "id": tx.ids.of_second("src", tx.second),
        "object": "source",
        kind: type_.details(tx, given.hash(kind)),
        "amount": None,
        "client_secret": tx.ids.client_secret(),
        "created": tx.second,
        "currency": _currency(given, type_),
        "flow": type_.flow,
        "livemode": False,
        "metadata": merged({}, given),
        "owner": owners.merged(owners.UNKNOWN, given),
        "statement_descriptor": given.text("statement_descriptor"),
        "status": type_.status,
        "type": kind,
        "usage": type_.usage,
    }
    source = source | given.changes({"amount": read.amount, "usage": usage})
    source = source | _flow(tx, source) | source_orders.changed(source, given)
    mandates.check(source, given)
    if source["usage"] == "single_use" and source["amount"] is None and type_.flow == "redirect":
        given.require("amount")
    source = in_order(source)
    tx.books.sources[source["id"]] = source
    tx.books.born[source["id"]] = tx.second
    if source["status"] == "chargeable":
        tx.tell("source.chargeable", source)
    return source


def _currency(given: Parameters, type_: SourceType) -> str | None:
    if type_.currency or type_.flow == "redirect":
        given.require("currency")
    currency = read.currency(given, "currency")
    if type_.currency and currency != type_.currency:
        raise StripeError(
            f"The currency of this type of source must be {type_.currency}.", param="currency"
        )
    return currency


def _flow(tx: Transaction, source: Json) -> Json:
    """Return the hash named after the flow, for the flows that have one."""
    if source["flow"] == "receiver":
        given = tx.parameters.hash("receiver")
        given.only("refund_attributes_method")
        method = given.changes({"refund_attributes_method": refund_attributes_method})
        return {
            "receiver": {
                "address": f"{tx.ids.digits(9)}-{tx.ids.digits(17)}",
                "amount_charged": 0,
                "amount_received": 0,
                "amount_returned": 0,
                "refund_attributes_method": "email",
                "refund_attributes_status": "missing",
            }
            | method
        }
    if source["flow"] == "redirect":
        tx.parameters.require("redirect")
        given = tx.parameters.hash("redirect")
        given.only("return_url")
        return {
            "redirect": {
                "failure_reason": None,
                "return_url": given.needed("return_url"),
                "status": "pending",
                "url": f"https://hooks.stripe.com/redirect/authenticate/{source['id']}"
                f"?client_secret={source['client_secret']}",
            }
        }
    return {}
