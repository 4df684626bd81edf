"""An event: what a delivery's bytes say, read once at the edge and again by the worker.

Strict about what identifies an event, lenient about all else: twelve years of real payloads fit no
one schema. What `data.object` is worth is the handlers' business: refusing it here would only make
Stripe send it again for three days.
"""

import re
from typing import Any, TypeVar

import msgspec

from service.event_types import PROJECTED_TYPES
from service.keys import Namespace

THIN = "v2.core.event"
"""Events of Stripe's second API name an object and do not show it: there is nothing to project."""

T = TypeVar("T")


class NotAnEventError(Exception):
    """The body is not an event; `reason` says in one word why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Event(msgspec.Struct, frozen=True):
    """An event of a type that is projected."""

    id: str
    type: str
    created: int
    namespace: Namespace
    api_version: str
    request: str
    """The id of the API request that caused it; empty when Stripe acted by itself."""
    object: bytes
    """`data.object` as Stripe sent it, but for white space; `null` when there is none."""
    previous: bytes | None
    """`data.previous_attributes`, likewise; None when there are none."""
    object_id: str
    kind: str
    """The object's own `object`: customer, card, payment_method …; empty when it names none."""
    customer: str
    """The customer it is about: the object itself, its owner, or who owned it; else empty."""


class Unprojected(msgspec.Struct, frozen=True):
    """An event that is acknowledged and counted, and tells nothing about payment sources."""

    id: str
    type: str


def read_event(body: bytes, *, projected: frozenset[str] = PROJECTED_TYPES) -> Event | Unprojected:
    """Return the event in a delivery's body; with LOGGED_TYPES that in a log entry's.

    Raises:
        NotAnEventError: it is no event, or its id, type or account could do harm in a key. The
            reasons: not_utf8, not_json, too_deep, not_an_object, not_an_event, bad_id, bad_type,
            bad_account, bad_field.

    """
    try:
        if not body.isascii():
            body.decode()
        return _read(_ENVELOPE.decode(body), projected)
    except UnicodeDecodeError:
        raise NotAnEventError("not_utf8") from None
    except RecursionError:
        raise NotAnEventError("too_deep") from None
    except msgspec.ValidationError:
        raise NotAnEventError(_misfit(body)) from None
    except msgspec.DecodeError:
        raise NotAnEventError("not_json") from None


# --- the shapes that are read; all else in the body is skipped ----------------------------------


class _Envelope(msgspec.Struct):
    id: str
    type: str
    object: Any = None
    created: Any = None
    livemode: Any = None
    api_version: Any = None
    account: Any = None
    request: Any = None
    data: msgspec.Raw = msgspec.Raw()


class _Data(msgspec.Struct):
    object: msgspec.Raw = msgspec.Raw(b"null")
    previous_attributes: msgspec.Raw = msgspec.Raw(b"null")


class _Subject(msgspec.Struct):
    id: Any = None
    object: Any = None
    customer: Any = None
    livemode: Any = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_DATA = msgspec.json.Decoder(_Data)
_SUBJECT = msgspec.json.Decoder(_Subject)
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NO_DATA, _NO_SUBJECT = _Data(), _Subject()

_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
"""What Stripe's ids are made of, and all that the id of an RQ job may hold."""

_NUMBERS = (int, float)

_TYPE = re.compile(r"[!-~]{1,255}")
"""Types of the second API hold brackets; no type holds blanks."""


def _read(envelope: _Envelope, projected: frozenset[str]) -> Event | Unprojected:
    if not _says_event(envelope):
        raise NotAnEventError("not_an_event")
    if not _ID.fullmatch(envelope.id):
        raise NotAnEventError("bad_id")
    if not _TYPE.fullmatch(envelope.type):
        raise NotAnEventError("bad_type")
    if envelope.object == THIN or envelope.type not in projected:
        return Unprojected(id=envelope.id, type=envelope.type)
    data = _decoded(_DATA, envelope.data, _NO_DATA)
    subject = _decoded(_SUBJECT, data.object, _NO_SUBJECT)
    before = data.previous_attributes if _is_object(data.previous_attributes) else None
    return Event(
        id=envelope.id,
        type=envelope.type,
        created=_second(envelope.created),
        namespace=Namespace(account=_account(envelope.account), mode=_mode(envelope, subject)),
        api_version=_text(envelope.api_version),
        request=_request(envelope.request),
        object=_minified(data.object),
        previous=None if before is None else _minified(before),
        object_id=_text(subject.id),
        kind=_text(subject.object),
        customer=_customer(envelope.type, subject, before),
    )


def _misfit(body: bytes) -> str:
    """Say what is wrong with JSON that does not fit the envelope."""
    try:
        parts = _PARTS.decode(body)
    except msgspec.ValidationError:
        return "not_an_object"
    except msgspec.DecodeError:
        return "not_json"
    for name in ("id", "type"):
        if name not in parts or not bytes(parts[name]).startswith(b'"'):
            return f"bad_{name}"
    return "bad_field"


def _says_event(envelope: _Envelope) -> bool:
    """Old captures lack `object`; then only something with `data` passes for an event.

    Without this a Source, which has an id and a type of its own, would be one.
    """
    if envelope.object is None:
        return _is_object(envelope.data)
    return envelope.object in ("event", THIN)


def _decoded(decoder: "msgspec.json.Decoder[T]", raw: msgspec.Raw, otherwise: T) -> T:
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError:  # it is no object, or not there at all
        return otherwise


def _is_object(raw: msgspec.Raw) -> bool:
    return bytes(raw).startswith(b"{")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _second(value: object) -> int:
    """Return `created`; 0 where it is none, so that the event outranks no other that tells it."""
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        return max(0, int(value))
    return 0


def _account(value: object) -> str:
    """Return the connected account; refuse one that could reach into another's keys."""
    account = _text(value)
    if account and not _ID.fullmatch(account):
        raise NotAnEventError("bad_account")
    return account


def _mode(envelope: _Envelope, subject: _Subject) -> str:
    """Where the envelope does not tell, its object does; test where neither does."""
    told = envelope.livemode if isinstance(envelope.livemode, bool) else subject.livemode
    return "live" if told is True else "test"


def _request(value: object) -> str:
    """Return the request's id: before 2017-05-25 a bare string, since then in an object."""
    request = _id_of(value)
    return request if _ID.fullmatch(request) else ""


def _id_of(value: object) -> str:
    """Return the id in a field that may hold the object itself instead."""
    return _text(value.get("id") if isinstance(value, dict) else value)


def _customer(event_type: str, subject: _Subject, before: msgspec.Raw | None) -> str:
    if subject.object == "customer":
        return _text(subject.id)
    owner = _id_of(subject.customer)
    if not owner and event_type == "payment_method.detached" and before is not None:
        return _id_of(_SUBJECT.decode(before).customer)
    return owner


def _minified(raw: msgspec.Raw) -> bytes:
    """Drop the white space; every number stays as it was written."""
    return msgspec.json.format(raw, indent=-1)
