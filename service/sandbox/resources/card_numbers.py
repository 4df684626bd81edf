"""Test cards: what each number is, and which ones are declined when they are saved.

https://docs.stripe.com/testing
"""

from typing import NamedTuple

from service.sandbox.errors import StripeError, card_error

DECLINED = "Your card was declined."


class CardNumber(NamedTuple):
    """What can be read off a card's number."""

    brand: str = "Visa"
    funding: str = "credit"
    country: str = "US"


class Decline(NamedTuple):
    """How an issuer says no."""

    code: str
    message: str = DECLINED
    decline_code: str = ""
    param: str = ""


VISA = "4242424242424242"

KNOWN = {
    VISA: CardNumber(),
    "4000056655665556": CardNumber(funding="debit"),
    "5555555555554444": CardNumber("MasterCard"),
    "2223003122003222": CardNumber("MasterCard"),
    "5200828282828210": CardNumber("MasterCard", "debit"),
    "5105105105105100": CardNumber("MasterCard", "prepaid"),
    "378282246310005": CardNumber("American Express"),
    "371449635398431": CardNumber("American Express"),
    "6011111111111117": CardNumber("Discover"),
    "3056930009020004": CardNumber("Diners Club"),
    "3566002020360505": CardNumber("JCB", country="JP"),
    "6200000000000005": CardNumber("UnionPay", country="CN"),
    "4000000760000002": CardNumber(country="BR"),
    "4000001240000000": CardNumber(country="CA"),
    "4000004840008001": CardNumber(country="MX"),
    "4000002760000016": CardNumber(country="DE"),
    "4000002500000003": CardNumber(country="FR"),
    "4000008260000000": CardNumber(country="GB"),
    "4000000360000006": CardNumber(country="AU"),
    "4000003920000003": CardNumber(country="JP"),
    "4000007020000003": CardNumber(country="SG"),
    "4000002500003155": CardNumber(country="FR"),
    "4000000000003220": CardNumber(),
    "4000000000000341": CardNumber(),
    "4000000000000077": CardNumber(),
}
"""Numbers that can be saved. Charging the one that ends in 0341 fails; saving it does not."""

REFUSED = {
    "4000000000000002": Decline("card_declined", decline_code="generic_decline"),
    "4000000000009995": Decline(
        "card_declined", "Your card has insufficient funds.", "insufficient_funds"
    ),
    "4000000000009987": Decline("card_declined", decline_code="lost_card"),
    "4000000000009979": Decline("card_declined", decline_code="stolen_card"),
    "4100000000000019": Decline("card_declined", decline_code="fraudulent"),
    "4000000000000069": Decline("expired_card", "Your card has expired.", param="exp_month"),
    "4000000000000127": Decline(
        "incorrect_cvc", "Your card's security code is incorrect.", param="cvc"
    ),
    "4000000000000119": Decline(
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
}
"""Numbers that are declined when they are saved for a customer."""


def look_up(number: str, param: str) -> CardNumber:
    """Return what a number is; raises StripeError unless it is that of a test card."""
    if not (number.isascii() and number.isdigit()) or not _sums_up(number):
        raise card_error("Your card number is incorrect.", "incorrect_number", param=param)
    if number in REFUSED:
        return CardNumber()
    if number not in KNOWN:
        raise card_error(
            "Your card was declined. Your request was in test mode, but used a non test card. For "
            "a list of valid test cards, visit: https://stripe.com/docs/testing.",
            "card_declined",
            decline_code="test_mode_live_card",
        )
    return KNOWN[number]


def refusal(number: str) -> StripeError | None:
    """Return how the issuer declines to let a card be saved, if it does."""
    decline = REFUSED.get(number)
    if decline is None:
        return None
    return card_error(
        decline.message, decline.code, param=decline.param, decline_code=decline.decline_code
    )


def _sums_up(number: str) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812)."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
