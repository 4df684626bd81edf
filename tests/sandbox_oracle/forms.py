"""What is posted to Stripe: few choices, so that changes meet, repeat, take each other back."""

from collections.abc import Mapping
from typing import TypeAlias

from hypothesis import strategies as st

from service.sandbox.forms import Given

Form: TypeAlias = st.SearchStrategy[dict[str, Given]]


def form(**fields: st.SearchStrategy[Given]) -> Form:
    """Return some of these fields, or all, or none."""
    return st.fixed_dictionaries({}, optional=fields)


TOKENS = ("tok_visa", "tok_mastercard", "tok_amex", "tok_de", "tok_chargeDeclined")
YEARS = st.integers(2026, 2028)
AMOUNTS = st.integers(1, 3)
WORDS = st.sampled_from(("a", "b", ""))
EMAILS = st.sampled_from(("a@example.com", "b@example.com", ""))
METADATA = st.one_of(form(k=WORDS, l=WORDS), st.just(""))
ADDRESS = st.dictionaries(st.sampled_from(("city", "line1", "postal_code")), WORDS, min_size=1)
PERSON = form(name=WORDS, email=EMAILS, phone=WORDS, address=ADDRESS)
CARD = form(exp_month=st.integers(1, 3), exp_year=YEARS)
ITEM: Form = st.fixed_dictionaries({"amount": AMOUNTS, "currency": st.just("usd")})

EDITS: Mapping[str, Form] = {
    "card": form(
        address_city=WORDS,
        address_line1=WORDS,
        address_zip=WORDS,
        exp_year=YEARS,
        metadata=METADATA,
        name=WORDS,
    ),
    "bank_account": form(account_holder_name=WORDS, metadata=METADATA),
    "bitcoin_receiver": form(description=WORDS, metadata=METADATA),
    "source": form(
        amount=AMOUNTS,
        metadata=METADATA,
        owner=PERSON,
        source_order=form(items=st.lists(ITEM, min_size=1, max_size=2)),
    ),
    "payment_method": form(metadata=METADATA, billing_details=PERSON),
    "customer": form(
        address=st.one_of(ADDRESS, st.just("")),
        balance=st.integers(-1, 1),
        description=WORDS,
        email=EMAILS,
        metadata=METADATA,
        name=WORDS,
        preferred_locales=st.lists(st.sampled_from(("en", "de")), max_size=2),
        shipping=st.one_of(
            st.just(""), st.fixed_dictionaries({"address": ADDRESS, "name": st.sampled_from("ab")})
        ),
    ),
}
"""By what is edited."""

NUMBER: Mapping[str, Given] = {
    "number": "5555555555554444",
    "exp_month": 1,
    "exp_year": 2027,
    "cvc": "123",
}
SHOP = {"return_url": "https://example.com"}
SOURCES: tuple[dict[str, Given], ...] = (
    {"type": "card", "token": "tok_visa"},
    {"type": "card", "card": NUMBER},
    {"type": "sepa_debit", "currency": "eur", "sepa_debit": {"iban": "DE89370400440532013000"}},
    {"type": "ach_credit_transfer", "currency": "usd"},
    {"type": "bancontact", "currency": "eur", "amount": 100, "redirect": SHOP},
)
HAPPENINGS = (
    "chargeable",
    "fail",
    "cancel",
    "receive",
    "require_refund_attributes",
    "notify_mandate",
)
RENEWALS = (
    "customer.source.updated",
    "payment_method.automatically_updated",
    "payment_method.updated",
)
RECEIVER: Mapping[str, Given] = {
    "object": "bitcoin_receiver",
    "amount": 1,
    "currency": "usd",
    "email": "a@example.com",
}


def bank_account(number: int) -> dict[str, Given]:
    """Return the attributes of a bank account; the same number twice is refused."""
    return {
        "object": "bank_account",
        "country": "US",
        "currency": "usd",
        "routing_number": "110000000",
        "account_number": f"{number:012d}",
    }


def three_d_secure(card: str) -> dict[str, Given]:
    """Return the attributes of a Source that secures a payment with this one."""
    return {
        "type": "three_d_secure",
        "currency": "eur",
        "amount": 100,
        "redirect": SHOP,
        "three_d_secure": {"card": card},
    }
