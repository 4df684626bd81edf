"""Idempotency keys: the same key gives the same answer again, and refuses another request."""

from collections.abc import MutableMapping
from typing import NamedTuple

from service.sandbox.errors import Json, StripeError
from service.sandbox.request import Request

KEPT_SECONDS = 24 * 3600
KEY_CHARACTERS = 255


class Remembered(NamedTuple):
    """The first request of a key, and its answer."""

    request: Request
    status: int
    body: Json


Memory = MutableMapping[str, Remembered]


def recall(memory: Memory, request: Request) -> Remembered | None:
    """Return what is remembered of a request's key; raises StripeError if it was another's."""
    if not request.key:
        return None
    if len(request.key) > KEY_CHARACTERS:
        raise _error(f"Idempotency keys can have up to {KEY_CHARACTERS} characters.")
    remembered = memory.get(request.key)
    if remembered is None or request.second - remembered.request.second > KEPT_SECONDS:
        return None
    first = remembered.request
    other = (
        f"Try using a key other than '{request.key}' if you meant to execute a different request."
    )
    if first.path != request.path:
        raise _error(
            "Keys for idempotent requests can only be used for the same endpoint they were first "
            f"used for ('{request.path}' vs '{first.path}'). {other}"
        )
    if first.parameters != request.parameters:
        raise _error(
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. {other}"
        )
    return remembered


def _error(message: str) -> StripeError:
    return StripeError(message, kind="idempotency_error")
