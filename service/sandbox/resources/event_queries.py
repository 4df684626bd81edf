"""The Events API: what was told in the last thirty days, newest first."""

from service.sandbox.errors import Json, StripeError, missing
from service.sandbox.lists import PAGING, Wanted, created_within, everything, page
from service.sandbox.parameters import Parameters
from service.sandbox.readers import one_of
from service.sandbox.transaction import Transaction

KEPT_SECONDS = 30 * 24 * 3600
MOST_TYPES = 20

BOOLEAN = one_of("true", "false")


def retrieve(tx: Transaction) -> Json:
    """GET /v1/events/:id."""
    tx.parameters.only()
    for event in reversed(_recent(tx)):
        if event["id"] == tx.names[0]:
            return _as_of_now(tx, event)
    raise missing("event", tx.names[0])


def list_all(tx: Transaction) -> Json:
    """GET /v1/events."""
    given = tx.parameters
    given.only(*PAGING, "created", "delivery_success", "type", "types")
    created, of_type, delivered = created_within(given), _of_type(given), _delivered(tx)
    found = page(
        _recent(tx)[::-1],
        given,
        kind="event",
        url="/v1/events",
        wanted=lambda event: created(event) and of_type(event) and delivered(event),
    )
    return found | {"data": [_as_of_now(tx, event) for event in found["data"]]}


def _recent(tx: Transaction) -> list[Json]:
    return [event for event in tx.events if event["created"] > tx.second - KEPT_SECONDS]


def _as_of_now(tx: Transaction, event: Json) -> Json:
    return event | {"pending_webhooks": tx.pending.get(event["id"], 0)}


def _delivered(tx: Transaction) -> Wanted:
    """Return who tells whether an event has, or has not, been taken by every endpoint."""
    if "delivery_success" not in tx.parameters:
        return everything
    wanted = BOOLEAN(tx.parameters, "delivery_success") == "true"
    return lambda event: (not tx.pending.get(event["id"])) == wanted


def _of_type(given: Parameters) -> Wanted:
    if "type" in given and "types" in given:
        raise StripeError("You may only specify one of these parameters: type, types.")
    given.refuse_empty("type")
    types = given.texts("types") or [given.text("type") or "*"]
    if len(types) > MOST_TYPES:
        raise StripeError(
            f"Array types exceeded maximum {MOST_TYPES} allowed elements.", param="types"
        )
    return lambda event: any(_matches(event["type"], type_) for type_ in types)


def _matches(type_: str, pattern: str) -> bool:
    """Compare a type with a pattern that may end in a star, like `customer.*`."""
    if pattern.endswith("*"):
        return type_.startswith(pattern[:-1])
    return type_ == pattern
