"""The types of Sources: how each is authorised, what it begins as, and the hash named after it."""

from collections.abc import Callable
from typing import NamedTuple

from service.sandbox.errors import Json, StripeError, missing_parameter
from service.sandbox.parameters import Parameters
from service.sandbox.resources import cards, tokens
from service.sandbox.resources.card_numbers import look_up
from service.sandbox.transaction import Transaction

IBAN_CHARACTERS = range(15, 35)
SEPA_BANK = slice(4, 12)

Details = Callable[[Transaction, Parameters], Json]
"""From the hash of the type's own parameters to the hash that the Source shows."""


class SourceType(NamedTuple):
    """What all Sources of a type have in common."""

    details: Details
    flow: str = "redirect"
    status: str = "pending"
    usage: str = "single_use"
    currency: str = ""
    """The only one it can be in."""


def details_of_card(tx: Transaction, given: Parameters) -> Json:
    """Return the card of a Source, made of its number or of a token."""
    token = tx.parameters.text("token")
    if token:
        plastic = tokens.plastic_of(tx, token, "token")
    else:
        given.only("number", "cvc", "exp_month", "exp_year", "name", *cards.ADDRESS)
        plastic = cards.of_number(given, tx.second)
    number = look_up(plastic.number, "number")
    return {
        "exp_month": plastic.exp_month,
        "exp_year": plastic.exp_year,
        "last4": plastic.number[-4:],
        "country": number.country,
        "brand": number.brand,
        "cvc_check": "unchecked" if plastic.has_cvc else None,
        "funding": number.funding,
        "fingerprint": tx.ids.fingerprint(plastic.number),
        "three_d_secure": "optional",
        "name": plastic.name,
        "address_line1_check": None,
        "address_zip_check": None,
        "tokenization_method": None,
        "dynamic_last4": None,
    }


def details_of_ach_credit_transfer(tx: Transaction, given: Parameters) -> Json:
    """Return the bank account that the customer is to send money to."""
    given.only()
    number = f"test_{tx.ids.digits(12)}"
    return {
        "account_number": number,
        "routing_number": "110000000",
        "fingerprint": tx.ids.fingerprint(number),
        "bank_name": "TEST BANK",
        "swift_code": "TSTEZ122",
        "refund_account_holder_name": None,
        "refund_account_holder_type": None,
        "refund_routing_number": None,
    }


def details_of_sepa_debit(tx: Transaction, given: Parameters) -> Json:
    """Return the bank account that may be debited."""
    given.only("iban")
    iban = given.needed("iban").replace(" ", "").upper()
    if len(iban) not in IBAN_CHARACTERS or not iban.isalnum():
        raise StripeError(
            "The IBAN you provided is invalid.", code="invalid_bank_account_iban", param="iban"
        )
    reference = tx.ids.short("m")[2:].upper()
    return {
        "bank_code": iban[SEPA_BANK],
        "branch_code": "",
        "country": iban[:2],
        "fingerprint": tx.ids.fingerprint(iban),
        "last4": iban[-4:],
        "mandate_reference": reference,
        "mandate_url": f"https://hooks.stripe.com/adapter/sepa_debit/file/{reference}",
    }


def details_of_three_d_secure(tx: Transaction, given: Parameters) -> Json:
    """Return the card to be authenticated: that of a chargeable card Source."""
    given.only("card", "customer")
    card_id = given.needed("card")
    behind = tx.books.sources.get(card_id)
    if not behind or behind.get("type") != "card":
        raise missing_parameter("source", card_id, given.param("card"))
    shown = {key: behind["card"][key] for key in behind["card"] if key != "three_d_secure"}
    return shown | {
        "authenticated": False,
        "card": card_id,
        "customer": given.text("customer"),
        "three_d_secure": behind["card"]["three_d_secure"],
    }


def nothing_known(*names: str) -> Details:
    """Return what gives a hash of nulls: the bank says more when the customer was there."""

    def details(_tx: Transaction, given: Parameters) -> Json:
        given.only(*names)
        return {name: given.text(name) for name in names}

    return details


TYPES = {
    "ach_credit_transfer": SourceType(
        details_of_ach_credit_transfer, flow="receiver", usage="reusable", currency="usd"
    ),
    "alipay": SourceType(nothing_known("data_string", "native_url", "statement_descriptor")),
    "bancontact": SourceType(
        nothing_known("bank_code", "bank_name", "bic", "iban_last4", "preferred_language"),
        currency="eur",
    ),
    "card": SourceType(details_of_card, flow="none", status="chargeable", usage="reusable"),
    "eps": SourceType(nothing_known("reference", "statement_descriptor"), currency="eur"),
    "giropay": SourceType(
        nothing_known("bank_code", "bank_name", "bic", "statement_descriptor"), currency="eur"
    ),
    "ideal": SourceType(
        nothing_known("bank", "bic", "iban_last4", "statement_descriptor"), currency="eur"
    ),
    "p24": SourceType(nothing_known("reference")),
    "sepa_debit": SourceType(
        details_of_sepa_debit,
        flow="none",
        status="chargeable",
        usage="reusable",
        currency="eur",
    ),
    "sofort": SourceType(
        nothing_known("bank_code", "bank_name", "bic", "country", "iban_last4"), currency="eur"
    ),
    "three_d_secure": SourceType(details_of_three_d_secure),
}
