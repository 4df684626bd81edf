"""The answers that events cannot decide, noted beside the log: for status, and for reconciling.

Noted with the acknowledgement of the events that made them so, so that a note is never missing. One
may be left too many: when two workers commit one customer in the same moment and their notes cross,
or when another release has derived the answer anew. Its next event takes it away, or a recheck.
"""

from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files
from typing import Any

import msgspec
import redis

from service.compression import UnreadableError
from service.documents import decode_customer
from service.keys import COUNTERS, DOUBTS, Namespace, Subject, customer_key
from service.projection import Projection
from workers.effect import Doubt

MOST_NOTED = 100_000
"""Some ten megabytes. A new endpoint that has read no customer yet doubts nearly all of them."""

KINDS = ("default", "order", "object")
"""What can be in doubt, in the words of CustomerAnswer.ambiguous."""

RECHECKED = 200
"""How many notes are looked at in one step."""

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


def recheck(client: redis.Redis, projection: Projection, cursor: int) -> int:
    """Note anew what is in doubt of some customers already noted; return where to go on.

    A document that is missing or cannot be read may be on its way back: its note stays.
    """
    reply: Any = client.hscan(DOUBTS, cursor, count=RECHECKED)
    following, fields = reply
    subjects = [_subject(field.decode()) for field in fields]
    values = projection.load([customer_key(*subject) for subject in subjects])
    found = {}
    for subject, value in zip(subjects, values, strict=True):
        with suppress(UnreadableError):
            if value is not None:
                version, answer, _ = decode_customer(value)
                found[subject] = Doubt(version, tuple(answer.ambiguous))
    note(client, found)
    return int(following)


def count(client: redis.Redis) -> Doubts:
    """Return how many are noted.

    No transaction: Redis 7.0 refuses even reads within one while its memory is full.
    """
    with client.pipeline(transaction=False) as pipe:
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


def _subject(field: str) -> Subject:
    mode, account, customer = field.split(":", 2)
    return Subject(Namespace(account, mode), customer)
