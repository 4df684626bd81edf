"""An event's body as an operator may see it: whole, but for what could be used to act with."""

from typing import NamedTuple

import msgspec

from service.event import NotAnEventError
from service.watch.logs import MASK, SECRET_SHAPES
from workers.algebra.objects import Json, parsed

SECRET_FIELDS = frozenset({"client_secret"})


class Shown(NamedTuple):
    """A body with its secrets masked."""

    body: bytes
    """JSON; numbers stand as Stripe wrote them."""
    masked: list[str]
    """Where something was masked, as paths."""


def shown(body: bytes) -> Shown:
    """Return what may be shown of a body.

    A client secret lets whoever has it act for the customer. It stands in a field of its own, and
    inside the addresses a customer is sent to.

    Raises:
        NotAnEventError: not_json: it was damaged since it was accepted.

    """
    masked: list[str] = []
    try:
        whole = parsed(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotAnEventError("not_json") from None
    return Shown(_encode(_without_secrets(whole, "", masked)), masked)


def _without_secrets(value: Json, path: str, masked: list[str]) -> Json:
    if isinstance(value, dict):
        return {
            name: _field(name, one, f"{path}.{name}" if path else name, masked)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(one, f"{path}.{n}", masked) for n, one in enumerate(value)]
    if isinstance(value, str):
        text = value
        for marker, shape in _SHAPES.items():
            text = shape.sub(MASK, text) if marker in text else text
        if text != value:
            masked.append(path)
        return text
    return value


def _field(name: str, value: Json, path: str, masked: list[str]) -> Json:
    if name in SECRET_FIELDS and value is not None:
        masked.append(path)
        return MASK
    return _without_secrets(value, path, masked)


_SHAPES = {marker: SECRET_SHAPES[marker] for marker in ("_secret_", "whsec_")}
_encode = msgspec.json.Encoder(decimal_format="number").encode
