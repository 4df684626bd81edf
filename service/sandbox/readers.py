"""Readers of single parameters: an address, an amount, a word out of a few."""

import re

from service.sandbox.errors import Json, StripeError
from service.sandbox.parameters import Parameters, Reader

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
EMAIL_CHARACTERS = 512
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def text(parameters: Parameters, key: str) -> str | None:
    """Read a text, or None to unset it."""
    return parameters.text(key)


def email(parameters: Parameters, key: str) -> str | None:
    """Read an e-mail address."""
    address = parameters.text(key)
    if address and (len(address) > EMAIL_CHARACTERS or not EMAIL.fullmatch(address)):
        raise StripeError(
            f"Invalid email address: {address}", code="email_invalid", param=parameters.param(key)
        )
    return address


def integer(parameters: Parameters, key: str) -> int | None:
    """Read a whole number that cannot be unset."""
    parameters.refuse_empty(key)
    return parameters.integer(key)


def amount(parameters: Parameters, key: str) -> int | None:
    """Read an amount of money: at least one of the smallest unit."""
    value = integer(parameters, key)
    if value is not None and value < 1:
        raise StripeError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param=parameters.param(key),
        )
    return value


def one_of(*allowed: str) -> Reader:
    """Return the reader of a word out of these."""

    def read(parameters: Parameters, key: str) -> str:
        parameters.refuse_empty(key)
        word = parameters.text(key) or ""
        if word not in allowed:
            named = f"{', '.join(allowed[:-1])}, or {allowed[-1]}"
            param = parameters.param(key)
            raise StripeError(f"Invalid {param}: must be one of {named}", param=param)
        return word

    return read


def texts(parameters: Parameters, key: str) -> list[str]:
    """Read an array of texts."""
    return parameters.texts(key)


def address(parameters: Parameters, key: str) -> Json | None:
    """Read an address; its parts that are not given are null."""
    given = parameters.hash(key)
    given.only(*ADDRESS)
    return {part: given.text(part) for part in ADDRESS} if parameters.value(key) else None


def currency(parameters: Parameters, key: str) -> str | None:
    """Read a currency, in lower case as Stripe answers it."""
    code = parameters.text(key)
    if code and not re.fullmatch("[A-Za-z]{3}", code):
        raise StripeError(f"Invalid currency: {code}", param=parameters.param(key))
    return code.lower() if code else None
