"""Metadata: posted keys are merged, an empty value unsets its key, empty metadata unsets all."""

from service.sandbox.errors import Json, StripeError
from service.sandbox.parameters import Parameters

KEYS = 50
KEY_CHARACTERS = 40
VALUE_CHARACTERS = 500


def merged(old: Json, parameters: Parameters) -> Json:
    """Return the metadata after a request that may have posted some; raises StripeError."""
    if "metadata" not in parameters:
        return old
    if parameters.value("metadata") == "":
        return {}
    given = parameters.hash("metadata")
    posted = {key: given.text(key) for key in given}
    new = {key: value for key, value in {**old, **posted}.items() if value is not None}
    _check(new, given)
    return new


def _check(metadata: Json, given: Parameters) -> None:
    if len(metadata) > KEYS:
        raise StripeError(
            f"You can only have up to {KEYS} metadata keys on an object.", param="metadata"
        )
    for key, value in metadata.items():
        if len(key) > KEY_CHARACTERS:
            raise StripeError(
                f"Metadata keys can have up to {KEY_CHARACTERS} characters, but you passed in a "
                f"key that is {len(key)} characters. Invalid key: {key}",
                param="metadata",
            )
        if len(value) > VALUE_CHARACTERS:
            raise StripeError(
                f"Metadata values can have up to {VALUE_CHARACTERS} characters, but you passed in "
                f"a value that is {len(value)} characters. Invalid value: {value}",
                param=given.param(key),
            )
