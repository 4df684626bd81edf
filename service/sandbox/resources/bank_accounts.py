"""Bank accounts: made from their numbers, changed, and verified by two small deposits."""

from service.sandbox import readers as read
from service.sandbox.changes import in_order
from service.sandbox.errors import Json, StripeError
from service.sandbox.ids import Ids
from service.sandbox.metadata import merged
from service.sandbox.parameters import Parameters

ROUTING_NUMBER = "110000000"
ACCOUNT_NUMBER = "000123456789"
"""What Stripe gives to try with."""

AMOUNTS = ("32", "45")
"""The deposits that verify any bank account in test mode."""

ATTEMPTS = 10
ROUTING_DIGITS = 9
HOLDER = ("account_holder_name", "account_holder_type")
MAKING = (
    "object",
    "account_number",
    "country",
    "currency",
    "metadata",
    "routing_number",
    "account_type",
    *HOLDER,
)

holder_type = read.one_of("company", "individual")


def of_numbers(account_id: str, given: Parameters, ids: Ids) -> Json:
    """Return the bank account that these attributes describe; raises StripeError."""
    number = given.needed("account_number")
    country = given.needed("country").upper()
    given.require("currency")
    currency = read.currency(given, "currency") or ""
    routing = given.text("routing_number")
    if country == "US":
        routing = given.needed("routing_number")
        if not (routing.isdecimal() and len(routing) == ROUTING_DIGITS):
            raise StripeError(
                "Invalid routing number for US. Must have 9 digits.",
                code="routing_number_invalid",
                param=given.param("routing_number"),
            )
    if not number.isalnum():
        raise StripeError(
            "You must use a test bank account number in test mode.",
            code="account_number_invalid",
            param=given.param("account_number"),
        )
    holder = given.changes({"account_holder_name": read.text, "account_holder_type": holder_type})
    made = bank_account(account_id, number, routing, ids)
    return (
        made
        | {"country": country, "currency": currency, "account_type": given.text("account_type")}
        | {key: holder.get(key) for key in HOLDER}
    )


def bank_account(account_id: str, number: str, routing: str | None, ids: Ids) -> Json:
    """Return a bank account in the USA that is not verified; nobody's yet."""
    return in_order(
        {
            "id": account_id,
            "object": "bank_account",
            "account_holder_name": "Jane Austen",
            "account_holder_type": "individual",
            "account_type": None,
            "bank_name": "STRIPE TEST BANK",
            "country": "US",
            "currency": "usd",
            "customer": None,
            "fingerprint": ids.fingerprint(f"{routing} {number}"),
            "last4": number[-4:],
            "metadata": {},
            "routing_number": routing,
            "status": "new",
        }
    )


def changed(old: Json, given: Parameters) -> Json:
    """Return a bank account after an update; raises StripeError."""
    given.only(*HOLDER, "metadata")
    values = given.changes({"account_holder_name": read.text, "account_holder_type": holder_type})
    return old | values | {"metadata": merged(old["metadata"], given)}


def verified(old: Json, given: Parameters, failed_attempts: int) -> Json | None:
    """Return the verified bank account, or None when these amounts were not deposited.

    Raises StripeError when it cannot be verified at all.
    """
    given.only("amounts")
    if "amounts" not in given:
        raise StripeError(
            "Missing required param: amounts.", code="parameter_missing", param="amounts"
        )
    amounts = given.texts("amounts")
    if old["status"] == "verified":
        raise StripeError("This bank account has already been verified.")
    if failed_attempts >= ATTEMPTS:
        raise StripeError("You have exceeded the number of allowed verification attempts.")
    if len(amounts) != len(AMOUNTS):
        raise StripeError("You must provide exactly two microdeposit amounts.", param="amounts")
    return old | {"status": "verified"} if tuple(sorted(amounts)) == AMOUNTS else None
