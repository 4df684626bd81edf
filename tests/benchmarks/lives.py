"""The lives of customers, told by events of real shapes: the load of every benchmark."""

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import redis

from service import doorbell
from service.event import Event, read_event
from service.log import event_log
from service.log.entry import new_entry

DATA = Path(__file__).parents[1] / "data"

BEGIN_SECONDS = 1_652_289_234
SIGNUPS_A_SECOND = 3
JITTER_SECONDS = 5
"""How much later than others an event may be delivered: enough to turn many a pair round."""

MOMENTS = (0, 60, 60, 3600, 7200)
"""When in a customer's life its events happen: it is created; adds a card, which becomes the
default; adds another; and, where that is asked for, a third."""

EVENTS = 4
APPENDED = 500


def customer_id(number: int) -> str:
    """Return the id of one of the customers."""
    return f"cus_{number:014d}"


def card_ids(number: int) -> list[str]:
    """Return the ids of a customer's cards, the first one first."""
    return [f"card_1K{number:020d}{place}" for place in "abc"]


def event(number: int, place: int, *, as_payment_methods: bool = False) -> bytes:
    """Return one event of a customer's life as Stripe sends it: a kilobyte of indented JSON.

    With `as_payment_methods` cards are told of in the other of Stripe's two ways.
    """
    customer, cards = customer_id(number), card_ids(number)
    added = _ATTACHED if as_payment_methods else _ADDED
    template, changed = (
        (_CREATED, {"id": customer}),
        (added, {"id": cards[0], "customer": customer}),
        (_UPDATED, {"id": customer, "default_source": cards[0]}),
        (added, {"id": cards[1], "customer": customer}),
        (added, {"id": cards[2], "customer": customer}),
    )[place]
    told = template | {
        "id": f"evt_1K{number:017d}{place}",
        "created": BEGIN_SECONDS + number // SIGNUPS_A_SECOND + MOMENTS[place],
        "request": template["request"] | {"id": f"req_{number:012d}{MOMENTS[place]:04d}"},
        "data": template["data"] | {"object": template["data"]["object"] | changed},
    }
    return json.dumps(told, indent=2).encode()


def lives(
    customers: int, *, first: int = 0, shuffled: bool = False, as_payment_methods: bool = False
) -> Iterator[bytes]:
    """Yield the events of many customers in the order in which they would arrive.

    Args:
        customers: how many.
        first: the number of the first of them.
        shuffled: no order at all instead, so that hardly two events of one customer meet in one
            round of a worker: the worst there can be.
        as_payment_methods: cards are told of by `payment_method.attached`.

    """
    dice = random.Random(1)  # noqa: S311 - the same in every run
    events = [
        (number, place) for number in range(first, first + customers) for place in range(EVENTS)
    ]
    if shuffled:
        dice.shuffle(events)
    else:
        events.sort(
            key=lambda one: (
                one[0] / SIGNUPS_A_SECOND + MOMENTS[one[1]] + dice.uniform(0, JITTER_SECONDS)
            )
        )
    return (event(*one, as_payment_methods=as_payment_methods) for one in events)


def append(client: redis.Redis, bodies: Iterator[bytes]) -> int:
    """Append events to the log as the intake does, and ring for nobody; returns how many."""
    client.script_load(event_log.APPEND_SCRIPT)
    number = 0
    waiting: list[bytes] = []
    for body in bodies:
        waiting.append(body)
        if len(waiting) == APPENDED:
            number += _append(client, waiting)
            waiting = []
    return number + (_append(client, waiting) if waiting else 0)


def _append(client: redis.Redis, bodies: Sequence[bytes]) -> int:
    entries = []
    for body in bodies:
        event = read_event(body)
        assert isinstance(event, Event)
        entries.append(new_entry(event, body))
    command = event_log.append_command(entries, doorbell.QUEUE_KEY)
    client.execute_command(*command)  # type: ignore[no-untyped-call]
    return len(entries)


def _recorded() -> dict[str, dict[str, Any]]:
    """Return the first recorded event of each type."""
    recorded = json.loads((DATA / "recorded/customer_source_1/events.json").read_text())["events"]
    return {event["type"]: event for event in reversed(recorded)}


_CREATED = _recorded()["customer.created"]
_UPDATED = _recorded()["customer.updated"]
_ADDED, _ATTACHED = (
    json.loads((DATA / f"webhook_fixtures/{name}.json").read_text())
    for name in ("customer.source.created", "payment_method.attached")
)
