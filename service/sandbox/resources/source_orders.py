"""The order behind a Source: items, their sum, and where they are shipped."""

from service.sandbox import readers as read
from service.sandbox.errors import Json, StripeError
from service.sandbox.parameters import Parameters

ITEM = {
    "amount": read.integer,
    "currency": read.currency,
    "description": read.text,
    "parent": read.text,
    "quantity": read.amount,
    "type": read.one_of("discount", "shipping", "sku", "tax"),
}


def changed(source: Json, parameters: Parameters) -> Json:
    """Return what a posted order changes of a Source; raises StripeError."""
    if "source_order" not in parameters:
        return {}
    given = parameters.hash("source_order")
    given.only("items", "shipping")
    old = source.get("source_order") or {}
    shipped = {"shipping": shipping(given)} if "shipping" in given else {}
    items = _items(given) if "items" in given else old.get("items", [])
    currency = source["currency"] or next((item["currency"] for item in items), None)
    if not currency:
        raise StripeError(
            "A source_order needs a currency: that of the Source, or that of its items.",
            param="source_order",
        )
    amount = sum(item["amount"] or 0 for item in items)
    order = {"amount": amount, "currency": currency, "items": items}
    told = old | order | shipped
    return {"source_order": {key: value for key, value in told.items() if value is not None}}


def shipping(parameters: Parameters) -> Json | None:
    """Read where to and to whom; None to unset it."""
    if parameters.value("shipping") == "":
        return None
    given = parameters.hash("shipping")
    given.only("address", "carrier", "name", "phone", "tracking_number")
    given.require("address")
    return {
        "address": read.address(given, "address"),
        "carrier": given.text("carrier"),
        "name": given.text("name"),
        "phone": given.text("phone"),
        "tracking_number": given.text("tracking_number"),
    }


def _items(given: Parameters) -> list[Json]:
    items = []
    for item in given.array("items"):
        if isinstance(item, str):
            raise StripeError("Invalid object", param=given.param("items"))
        item.only(*ITEM)
        unknown = {**dict.fromkeys(ITEM), "quantity": 1, "type": "sku"}
        items.append(unknown | item.changes(ITEM))
    return items
