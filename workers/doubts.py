"""The answers that events cannot decide, noted beside the log: for status, and for reconciling.

Noted with the acknowledgement of the events that made them so, so that a note is never missing. One
may be left too many: when two workers commit one customer in the same moment and their notes cross.
Its next event takes it away.
"""

from collections.abc import Mapping
from importlib.resources import files

import msgspec
import redis

from service.keys import COUNTERS, DOUBTS
from workers.apply import Doubt, Subject

MOST_NOTED = 100_000
"""Some ten megabytes. A new endpoint that has read no customer yet doubts nearly all of them."""

KINDS = ("default", "order", "object")
"""What can be in doubt, in the words of CustomerAnswer.ambiguous."""

_SCRIPT = (files("service") / "lua" / "doubts.lua").read_text()


class Doubts(msgspec.Struct, frozen=True):
    """How many customers' answers are ambiguous, and in what; one may be so in several ways."""

    customers: int
    default: int
    order: int
    object: int
    all_noted: bool
    """False when there are more than are noted."""


def note(client: redis.Redis, doubts: Mapping[Subject, Doubt]) -> None:
    """Note which of these customers' answers are ambiguous now; `client` may be a pipeline."""
    if not doubts:
        return
    rows = (
        (f"{namespace.text}:{customer}", str(doubt.version), ",".join(doubt.ambiguous))
        for (namespace, customer), doubt in doubts.items()
    )
    arguments = [text for row in rows for text in row]
    client.eval(_SCRIPT, 2, DOUBTS, COUNTERS, str(MOST_NOTED), *arguments)


def count(client: redis.Redis) -> Doubts:
    """Return how many are noted."""
    with client.pipeline(transaction=True) as pipe:
        pipe.hlen(DOUBTS)
        pipe.hmget(COUNTERS, [f"doubts:{kind}" for kind in KINDS])
        customers, counts = pipe.execute()
    default, order, obj = (int(number or 0) for number in counts)
    return Doubts(
        customers=customers,
        default=default,
        order=order,
        object=obj,
        all_noted=customers < MOST_NOTED,
    )
