"""A card or a Source as a PaymentMethod shows it: the second view, under the same id."""

from service.sandbox.errors import Json
from service.sandbox.readers import ADDRESS
from service.sandbox.transaction import Transaction

BRANDS = {"American Express": "amex", "Diners Club": "diners", "MasterCard": "mastercard"}
"""Names of the second view; of other brands it is the same word in lower case."""

SOURCE_TYPES = frozenset({"card", "sepa_debit"})
"""The types of Sources that are types of PaymentMethods too and can be kept."""

ZIP = {"postal_code": "address_zip"}
CARD_ADDRESS = {part: ZIP.get(part, f"address_{part}") for part in ADDRESS}
"""Part of an address -> the card's field."""


def has_view(source: Json) -> bool:
    """Tell whether a source is shown as a PaymentMethod too."""
    return source["object"] == "card" or source.get("type") in SOURCE_TYPES


def view(tx: Transaction, source: Json) -> Json:
    """Return a source as a PaymentMethod."""
    of_card = source["object"] == "card"
    kind = "card" if of_card else source["type"]
    details = source if of_card else source[kind]
    shown = _card(details) if kind == "card" else _sepa_debit(details)
    billing = _billing_of_card(tx, source) if of_card else _billing_of_owner(source["owner"])
    return {
        "id": source["id"],
        "object": "payment_method",
        "billing_details": billing,
        kind: shown,
        "created": tx.books.born.get(source["id"], tx.second),
        "customer": source.get("customer"),
        "livemode": False,
        "metadata": source["metadata"],
        "type": kind,
    }


def _card(card: Json) -> Json:
    brand = BRANDS.get(card["brand"], card["brand"].lower())
    return {
        "brand": brand,
        "checks": {
            "address_line1_check": card["address_line1_check"],
            "address_postal_code_check": card["address_zip_check"],
            "cvc_check": card["cvc_check"],
        },
        "country": card["country"],
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "generated_from": None,
        "last4": card["last4"],
        "networks": {"available": [brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _sepa_debit(debit: Json) -> Json:
    kept = ("bank_code", "branch_code", "country", "fingerprint", "last4")
    generated_from = {"charge": None, "setup_attempt": None}
    return {key: debit[key] for key in kept} | {"generated_from": generated_from}


def _billing_of_owner(owner: Json) -> Json:
    return {
        "address": owner["address"] or dict.fromkeys(ADDRESS),
        "email": owner["email"],
        "name": owner["name"],
        "phone": owner["phone"],
    }


def _billing_of_card(tx: Transaction, card: Json) -> Json:
    contact = tx.books.contacts.get(card["id"], {})
    return {
        "address": {part: card[field] for part, field in CARD_ADDRESS.items()},
        "email": contact.get("email"),
        "name": card["name"],
        "phone": contact.get("phone"),
    }
