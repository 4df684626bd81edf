"""The owner of a Source: given in parts, and what is not given stays."""

from service.sandbox import readers as read
from service.sandbox.errors import Json
from service.sandbox.parameters import Parameters

UNKNOWN: Json = {
    "address": None,
    "email": None,
    "name": None,
    "phone": None,
    "verified_address": None,
    "verified_email": None,
    "verified_name": None,
    "verified_phone": None,
}


def merged(old: Json, parameters: Parameters) -> Json:
    """Return the owner after a request that may have posted some of it; raises StripeError."""
    given = parameters.hash("owner")
    given.only("address", "email", "name", "phone")
    readers = {"address": read.address, "email": read.email, "name": read.text, "phone": read.text}
    values = given.changes(readers)
    if values.get("address") and old["address"]:
        posted = given.hash("address")
        values["address"] = old["address"] | {
            part: value for part, value in values["address"].items() if part in posted
        }
    return old | values
