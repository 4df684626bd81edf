"""Cards: made from a number or a test token, and changed on their customer."""

import time
from typing import NamedTuple

from service.sandbox import readers as read
from service.sandbox.changes import in_order
from service.sandbox.errors import Json, card_error
from service.sandbox.ids import Ids
from service.sandbox.metadata import merged
from service.sandbox.parameters import Parameters
from service.sandbox.resources.card_numbers import look_up

MONTHS = 12
CENTURY = 2_000
TWO_DIGITS = range(100)
"""A year may be written short."""
FURTHEST_YEARS = 50

ADDRESS = (
    "address_city",
    "address_country",
    "address_line1",
    "address_line2",
    "address_state",
    "address_zip",
)
CHECKED = ("address_line1", "address_zip")
"""Parts of the address that the issuer is asked about."""

MAKING = ("object", "number", "cvc", "exp_month", "exp_year", "name", "metadata", *ADDRESS)
CHANGING = ("exp_month", "exp_year", "name", "metadata", *ADDRESS)


class Plastic(NamedTuple):
    """What is on a card, before it becomes a card object or a Source."""

    number: str
    exp_month: int
    exp_year: int
    has_cvc: bool = False
    name: str | None = None


def of_number(given: Parameters, second: int) -> Plastic:
    """Return the card that these attributes describe; raises StripeError."""
    number = given.needed("number").replace(" ", "").replace("-", "")
    look_up(number, given.param("number"))
    for key in ("exp_month", "exp_year"):
        given.require(key)
    month, year = expiry(given, second)
    return Plastic(number, month or 0, year or 0, "cvc" in given, given.text("name"))


def of_test_token(number: str, second: int) -> Plastic:
    """Return the card behind a test token; it is good for a year."""
    now = time.gmtime(second)
    return Plastic(number, now.tm_mon, now.tm_year + 1)


def expiry(given: Parameters, second: int) -> tuple[int | None, int | None]:
    """Return month and year as far as they are given; raises StripeError."""
    month, year = given.integer("exp_month"), given.integer("exp_year")
    if "exp_month" in given and (month is None or not 1 <= month <= MONTHS):
        raise card_error(
            "Your card's expiration month is invalid.",
            "invalid_expiry_month",
            param=given.param("exp_month"),
        )
    if "exp_year" not in given:
        return month, None
    this_year = time.gmtime(second).tm_year
    if year in TWO_DIGITS:
        year = CENTURY + (year or 0)
    if year is None or not this_year <= year <= this_year + FURTHEST_YEARS:
        raise card_error(
            "Your card's expiration year is invalid.",
            "invalid_expiry_year",
            param=given.param("exp_year"),
        )
    return month, year


def card(card_id: str, plastic: Plastic, given: Parameters, ids: Ids) -> Json:
    """Return the card object; nobody's yet."""
    number = look_up(plastic.number, "number")
    address = {key: given.text(key) for key in ADDRESS}
    return in_order(
        {
            "id": card_id,
            "object": "card",
            **address,
            **{f"{key}_check": "pass" if address[key] else None for key in CHECKED},
            "brand": number.brand,
            "country": number.country,
            "customer": None,
            "cvc_check": "pass" if plastic.has_cvc else None,
            "dynamic_last4": None,
            "exp_month": plastic.exp_month,
            "exp_year": plastic.exp_year,
            "fingerprint": ids.fingerprint(plastic.number),
            "funding": number.funding,
            "last4": plastic.number[-4:],
            "metadata": merged({}, given),
            "name": plastic.name,
            "tokenization_method": None,
        }
    )


def changed(old: Json, given: Parameters, second: int) -> Json:
    """Return a card after an update; raises StripeError."""
    given.only(*CHANGING)
    values = given.changes({"name": read.text, **dict.fromkeys(ADDRESS, read.text)})
    checks = {
        f"{key}_check": "pass" if values[key] else None
        for key in CHECKED
        if key in values and values[key] != old[key]
    }
    return (
        old
        | values
        | checks
        | new_expiry(old, given, second)
        | {"metadata": merged(old["metadata"], given)}
    )


def new_expiry(old: Json, given: Parameters, second: int) -> Json:
    """Return month and year where they are given; raises StripeError if the card is then over."""
    month, year = expiry(given, second)
    now = time.gmtime(second)
    new: Json = {
        **({} if month is None else {"exp_month": month}),
        **({} if year is None else {"exp_year": year}),
    }
    result = {"exp_month": old["exp_month"], "exp_year": old["exp_year"]} | new
    if new and (result["exp_year"], result["exp_month"]) < (now.tm_year, now.tm_mon):
        raise card_error(
            "Your card's expiration month is invalid.",
            "invalid_expiry_month",
            param=given.param("exp_month"),
        )
    return new
