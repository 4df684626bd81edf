"""Events written as briefly as the specification's tables write them: c, u, plus, minus.

`c(A)@1` is `created("A", 1)`; `u(A→B)@5` is `updated(("A", "B"), 5)`; `+A@2` is `added("A", 2)`.
A source is called by a letter; its kind is a card unless said otherwise.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

CUSTOMER = "cus_1"
PREFIXES = {"card": "card", "bank_account": "ba", "source": "src"}

_numbers = itertools.count(1)


def source_id(letter: str, kind: str = "card") -> str:
    """Return the id of the source that is called by this letter."""
    return f"{PREFIXES[kind]}_{letter}"


def event(  # noqa: PLR0913 - an envelope is made of many things
    event_type: str,
    fields: Mapping[str, Any],
    at: int,
    *,
    previous: Mapping[str, Any] | None = None,
    request: str | None = None,
    event_id: str = "",
    api_version: str = "2020-08-27",
) -> bytes:
    """Return the body of a delivery; every event has an id and a request of its own by default."""
    number = next(_numbers)
    data: dict[str, Any] = {"object": fields}
    if previous is not None:
        data["previous_attributes"] = previous
    return msgspec.json.encode(
        {
            "id": event_id or f"evt_{number}",
            "object": "event",
            "api_version": api_version,
            "created": at,
            "data": data,
            "livemode": False,
            "request": {"id": request or f"req_{number}", "idempotency_key": None},
            "type": event_type,
        }
    )


def customer(default: str | None, **more: Any) -> dict[str, Any]:
    """Return a customer whose default source is called by this letter."""
    shown = source_id(default) if default and "_" not in default else default
    fields = {"id": CUSTOMER, "object": "customer", "default_source": shown, "name": "n"}
    return fields | more


def embedded(*sources: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole list of sources as a customer embeds it."""
    return {"object": "list", "data": list(sources), "has_more": False}


def card(letter: str, **more: Any) -> dict[str, Any]:
    """Return a card of the customer."""
    fields = {"id": source_id(letter), "object": "card", "customer": CUSTOMER, "exp_year": 2030}
    return fields | {"metadata": {}} | more


def created(default: str | None, at: int, **more: Any) -> bytes:
    """c(default)@at."""
    return event("customer.created", customer(default, **more), at)


def updated(
    default: Sequence[str | None],
    at: int,
    *,
    previous: Mapping[str, Any] | None = None,
    **more: Any,
) -> bytes:
    """u(before→after)@at, or u(…)@at of something else where only one default is given."""
    *before, after = default
    told = dict(previous or {})
    if before:
        told["default_source"] = customer(before[0])["default_source"]
    return event("customer.updated", customer(after, **more), at, previous=told)


def added(letter: str, at: int, **more: Any) -> bytes:
    """+letter@at, of a card."""
    return event("customer.source.created", card(letter, **more), at)


def removed(letter: str, at: int) -> bytes:
    """The removal of a card."""
    return event("customer.source.deleted", card(letter), at)
