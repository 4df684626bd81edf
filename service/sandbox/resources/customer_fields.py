"""A customer's plain fields: each with the reader of its parameter."""

from service.sandbox import readers as read
from service.sandbox.errors import Json
from service.sandbox.parameters import Parameters


def shipping(parameters: Parameters, key: str) -> Json | None:
    """Read where to and to whom."""
    if parameters.value(key) == "":
        return None
    given = parameters.hash(key)
    given.only("address", "name", "phone")
    for needed in ("address", "name"):
        given.require(needed)
    return {
        "address": read.address(given, "address"),
        "name": given.text("name"),
        "phone": given.text("phone"),
    }


FIELDS = {
    "address": read.address,
    "balance": read.integer,
    "description": read.text,
    "email": read.email,
    "name": read.text,
    "phone": read.text,
    "preferred_locales": read.texts,
    "shipping": shipping,
    "tax_exempt": read.one_of("exempt", "none", "reverse"),
}
