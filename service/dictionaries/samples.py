"""Samples to train a dictionary on: shapes of real events, with everything else drawn anew.

What differs between two objects of one shape (ids, names, times, brands, amounts) is drawn at
random, so that a dictionary learns the shapes and not the handful of people in the payloads.
"""

import json
import re
import string
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from service.dictionaries import shapes
from service.dictionaries.shapes import Json
from service.documents import CustomerAnswer, ListedSource, SourceAnswer


def events(data: Path, seed: int, count: int, *, recorded: bool = True) -> list[bytes]:
    """Return events as Stripe sends them; without the recorded shapes if told so."""
    drawn = Random(seed)  # noqa: S311 - it must be repeatable, and hides nothing
    pool = [*shapes.captured(data), *shapes.composed(data)]
    pool += [*shapes.recorded(data)] if recorded else []
    return [_sent(_varied(drawn.choice(pool), drawn, {})) for _ in range(count)]


def recorded_events(data: Path, seed: int) -> list[bytes]:
    """Return each recorded event once."""
    drawn = Random(seed)  # noqa: S311 - likewise
    return [_sent(_varied(shape, drawn, {})) for shape in shapes.recorded(data)]


def documents(data: Path, seed: int, count: int) -> list[bytes]:
    """Return documents as service.documents packs them, around the objects of such events."""
    sent = map(json.loads, events(data, seed, count))
    return [_document(event) for event in sent if "object" in event["data"]]


def _sent(event: Json) -> bytes:
    return json.dumps(event, indent=2, ensure_ascii=False).encode()


# --- drawing values -----------------------------------------------------------------------------


def _varied(value: Any, drawn: Random, ids: dict[str, str], name: str = "") -> Any:  # noqa: ANN401 - JSON
    """Return the value with all that is not its shape drawn anew; one id stays one id."""
    if isinstance(value, dict) and name != "metadata":
        return {key: _varied(inner, drawn, ids, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_varied(inner, drawn, ids, name) for inner in value]
    if isinstance(value, str) and _ID.fullmatch(value):
        prefix, _, rest = value.rpartition("_")
        return ids.setdefault(value, f"{prefix}_{_letters(drawn, max(14, len(rest)))}")
    if name in _CHOICES:
        return drawn.choice(_CHOICES[name])
    if value is not None and name in _DRAWN:
        return _DRAWN[name](drawn)
    return value


def _letters(drawn: Random, count: int) -> str:
    return "".join(drawn.choices(string.ascii_letters + string.digits, k=count))


def _digits(count: int) -> Callable[[Random], str]:
    return lambda drawn: f"{drawn.randrange(10**count):0{count}}"


def _second(drawn: Random) -> int:
    return drawn.randrange(1_400_000_000, 1_900_000_000)


_ID = re.compile(r"(evt|req|cus|card|src|ba|pm|tok|acct|mandate|txn|src_client_secret)_\w+")

_CHOICES: dict[str, list[Any]] = {
    "account_holder_name": ["Jane Austen", "Amara Okafor", "Anna Müller", None],
    "address_line1_check": ["pass", "unchecked", None],
    "address_zip_check": ["pass", "fail", "unchecked", None],
    "api_version": ["2020-08-27", "2022-11-15", "2019-12-03", "2024-06-20", "2025-11-17.clover"],
    "brand": ["Visa", "MasterCard", "American Express", "Discover", "JCB", "visa", "mastercard"],
    "country": ["US", "DE", "FR", "GB", "JP", "BR", None],
    "currency": ["usd", "eur", "gbp", None],
    "cvc_check": ["pass", "unchecked", "unavailable", None],
    "delinquent": [False, True],
    "description": [None, "Customer for order", "My First Test Customer"],
    "exp_month": [*range(1, 13)],
    "exp_year": [*range(2024, 2040)],
    "funding": ["credit", "debit", "prepaid", "unknown"],
    "livemode": [False, True],
    "metadata": [{}, {}, {"order_id": "6735"}, {"user_id": "81726354", "plan": "pro"}],
    "name": ["Jenny Rosen", "Li Wei", "José García", "Noah Smith", "Zoë Martin", None],
    "status": ["new", "verified", "chargeable", "consumed", "pending", "failed"],
    "tokenization_method": [None, "apple_pay", "android_pay"],
}

_DRAWN: dict[str, Callable[[Random], Any]] = {
    "account_number": _digits(12),
    "address_zip": _digits(5),
    "amount": lambda drawn: drawn.randrange(100_000),
    "created": _second,
    "email": lambda drawn: f"{_letters(drawn, drawn.randrange(4, 12)).lower()}@example.com",
    "fingerprint": lambda drawn: _letters(drawn, 16),
    "idempotency_key": lambda drawn: str(UUID(int=drawn.getrandbits(128))),
    "invoice_prefix": lambda drawn: _letters(drawn, 8).upper(),
    "last4": _digits(4),
    "phone": _digits(11),
    "postal_code": _digits(5),
    "routing_number": _digits(9),
}


# --- packing a document -------------------------------------------------------------------------


def _document(event: Json) -> bytes:
    """Pack an object as a document: its answer, and facts of which only the bulk is true to life.

    The workers alone know the facts. Most of them is records, and a record is the object again.
    """
    subject = event["data"]["object"]
    body = msgspec.json.encode(subject)
    known = _answer(event, subject, body)
    previous = event["data"].get("previous_attributes")
    record = (
        *(event["type"], 2, 0, _request(event), event["id"], event.get("api_version")),
        *(body, msgspec.json.encode(previous) if previous else b""),
    )
    second = event["created"]
    key = event["id"].encode()[-8:]
    facts: tuple[Any, ...] = ({second: {key: record}}, {}, [_owner(subject)], (second,) * 4)
    return msgspec.msgpack.encode((known, msgspec.msgpack.encode(facts)))


def _answer(event: Json, subject: Json, body: bytes) -> CustomerAnswer | SourceAnswer:
    kind = str(subject.get("object"))
    if kind == "customer":
        default = str(subject.get("default_source") or "")
        return CustomerAnswer(
            body=body,
            deleted=False,
            default=default,
            basis="confirmed",
            sources=[ListedSource(id=default, kind="card", body=body)] if default else [],
            second=event["created"],
            event=event["id"],
            ambiguous=[],
        )
    return SourceAnswer(
        body=body,
        kind=kind,
        owner=_owner(subject),
        gone=False,
        second=event["created"],
        event=event["id"],
        decided=True,
    )


def _owner(subject: Json) -> str:
    return str(subject.get("customer") or "")


def _request(event: Json) -> str:
    request = event.get("request")
    return str(request.get("id")) if isinstance(request, dict) else ""
