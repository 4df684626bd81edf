"""Tokens: Stripe's test tokens, which can be used again and again, and made ones, used once."""

from service.sandbox.books import Token
from service.sandbox.errors import Json, StripeError, missing, missing_parameter
from service.sandbox.parameters import Parameters
from service.sandbox.resources import bank_accounts, cards
from service.sandbox.resources.card_numbers import VISA, refusal
from service.sandbox.transaction import Transaction

CARDS = {
    "tok_visa": VISA,
    "tok_visa_debit": "4000056655665556",
    "tok_mastercard": "5555555555554444",
    "tok_mastercard_debit": "5200828282828210",
    "tok_mastercard_prepaid": "5105105105105100",
    "tok_amex": "371449635398431",
    "tok_discover": "6011111111111117",
    "tok_diners": "3056930009020004",
    "tok_jcb": "3566002020360505",
    "tok_unionpay": "6200000000000005",
    "tok_br": "4000000760000002",
    "tok_ca": "4000001240000000",
    "tok_mx": "4000004840008001",
    "tok_de": "4000002760000016",
    "tok_fr": "4000002500000003",
    "tok_gb": "4000008260000000",
    "tok_au": "4000000360000006",
    "tok_jp": "4000003920000003",
    "tok_sg": "4000007020000003",
    "tok_threeDSecureRequired": "4000000000003220",
    "tok_bypassPending": "4000000000000077",
    "tok_chargeCustomerFail": "4000000000000341",
    "tok_chargeDeclined": "4000000000000002",
    "tok_visa_chargeDeclined": "4000000000000002",
    "tok_chargeDeclinedInsufficientFunds": "4000000000009995",
    "tok_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "tok_chargeDeclinedLostCard": "4000000000009987",
    "tok_visa_chargeDeclinedLostCard": "4000000000009987",
    "tok_chargeDeclinedStolenCard": "4000000000009979",
    "tok_visa_chargeDeclinedStolenCard": "4000000000009979",
    "tok_chargeDeclinedFraudulent": "4100000000000019",
    "tok_chargeDeclinedExpiredCard": "4000000000000069",
    "tok_chargeDeclinedIncorrectCvc": "4000000000000127",
    "tok_chargeDeclinedProcessingError": "4000000000000119",
}

BANK_ACCOUNTS = {
    "btok_us": "new",
    "btok_us_verified": "verified",
    "btok_us_verified_noAccount": "verified",
    "btok_us_verified_accountClosed": "verified",
    "btok_us_verified_insufficientFunds": "verified",
    "btok_us_verified_debitNotAuthorized": "verified",
    "btok_us_verified_invalidCurrency": "verified",
}
"""By token: the status of the bank account behind it."""


def create(tx: Transaction) -> Json:
    """POST /v1/tokens: put a card or a bank account behind a token."""
    given = tx.parameters
    given.only("card", "bank_account")
    if "card" in given:
        kind, details = "card", given.hash("card")
        details.only(*cards.MAKING)
        plastic = cards.of_number(details, tx.second)
        number = plastic.number
        card_id = tx.ids.of_second("card", tx.second)
        behind = cards.card(card_id, plastic, details, tx.ids)
    else:
        given.require("bank_account")
        kind, details = "bank_account", given.hash("bank_account")
        details.only(*bank_accounts.MAKING)
        number = ""
        bank_id = tx.ids.of_second("ba", tx.second)
        behind = bank_accounts.of_numbers(bank_id, details, tx.ids)
    token: Json = {
        "id": tx.ids.of_second("tok" if kind == "card" else "btok", tx.second),
        "object": "token",
        kind: {key: value for key, value in behind.items() if key != "customer"},
        "client_ip": "127.0.0.1",
        "created": tx.second,
        "livemode": False,
        "type": kind,
        "used": False,
    }
    tx.books.tokens[token["id"]] = Token(token, number)
    return token


def retrieve(tx: Transaction) -> Json:
    """GET /v1/tokens/:id."""
    tx.parameters.only()
    token_id = tx.names[0]
    if token_id not in tx.books.tokens:
        raise missing("token", token_id)
    return tx.books.tokens[token_id].object


def redeem(tx: Transaction, token_id: str, param: str) -> Json:
    """Return the card or bank account behind a token, nobody's yet; raises StripeError."""
    if token_id in CARDS:
        _decline(CARDS[token_id])
        plastic = cards.of_test_token(CARDS[token_id], tx.second)
        card_id = tx.ids.of_second("card", tx.second)
        return cards.card(card_id, plastic, Parameters({}), tx.ids)
    if token_id in BANK_ACCOUNTS:
        account_id = tx.ids.of_second("ba", tx.second)
        made = bank_accounts.bank_account(
            account_id, bank_accounts.ACCOUNT_NUMBER, bank_accounts.ROUTING_NUMBER, tx.ids
        )
        return made | {"status": BANK_ACCOUNTS[token_id]}
    return _redeem_made(tx, token_id, param)


def plastic_of(tx: Transaction, token_id: str, param: str) -> cards.Plastic:
    """Return the card behind a token for a Source to be made of it; raises StripeError."""
    if token_id in CARDS:
        return cards.of_test_token(CARDS[token_id], tx.second)
    number = tx.books.tokens[token_id].number if token_id in tx.books.tokens else ""
    card = _redeem_made(tx, token_id, param, refuse=False)
    if card["object"] != "card":
        raise StripeError("The token you provided is not that of a card.", param=param)
    return cards.Plastic(
        number,
        card["exp_month"],
        card["exp_year"],
        has_cvc=card["cvc_check"] is not None,
        name=card["name"],
    )


def _redeem_made(tx: Transaction, token_id: str, param: str, *, refuse: bool = True) -> Json:
    if token_id not in tx.books.tokens:
        raise missing_parameter("token", token_id, param)
    token = tx.books.tokens[token_id]
    if token.object["used"]:
        raise StripeError(
            f"You cannot use a Stripe token more than once: {token_id}.",
            code="token_already_used",
            param=param,
        )
    if refuse:
        _decline(token.number)
    tx.books.tokens[token_id] = token._replace(object=token.object | {"used": True})
    behind: Json = token.object[token.object["type"]]
    return behind | {"customer": None}


def _decline(number: str) -> None:
    if error := refusal(number):
        raise error
