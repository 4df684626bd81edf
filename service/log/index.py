"""The index of the event log: where the entries of an event id or of a request id lie.

Two rows an event, for as long as the log keeps it, so they are short: a field of fourteen bytes
that stand for the id and the body, and a value of the entry's id and its namespace. The digest of a
body that is sealed is a keyed one: another would tell whether a guess of the body is right.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

from service.keys import Namespace, index_bucket

INDEXED_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
"""What Stripe's ids are made of; nothing else can be in the index."""

ID_BYTES = 8
"""Of a digest of the id. That any two ids of a million events share them is less likely than one in
ten million, and then who waits for one of them would wait for the other, too; nothing else."""

BODY_BYTES = 6
"""Only tells apart bodies that carry one and the same event id; 48 bits are plenty for that."""

_MILLISECONDS_END, _SEQUENCE_END, _MODE_END = 6, 9, 10
"""Where the parts of a value end; lua/append.lua writes them."""


class Row(NamedTuple):
    """One row of the index, without its value."""

    bucket: str
    field: bytes


class Place(NamedTuple):
    """An entry of the log, and whose it is."""

    entry_id: str
    namespace: Namespace


NO_ROW = Row(index_bucket(""), b"")
"""In place of a request's, for what Stripe did by itself."""


def rows_of(event_id: str, request: str, body: bytes, digest_key: bytes = b"") -> tuple[Row, Row]:
    """Return where an event with this body is found by its id, and where by its request's."""
    about = hashlib.blake2b(body, key=digest_key, digest_size=BODY_BYTES).digest()
    by_id = Row(index_bucket(event_id), _start(event_id) + about)
    by_request = Row(index_bucket(request), _start(request) + about) if request else NO_ROW
    return by_id, by_request


def places(rows: Iterable[tuple[bytes, bytes]], event_or_request: str) -> list[Place]:
    """Return the entries of this id out of all fields and values of its bucket, oldest first."""
    if not INDEXED_ID.fullmatch(event_or_request):
        return []
    start = _start(event_or_request)
    return [_place(value) for value in sorted(v for field, v in rows if field.startswith(start))]


def entry_bytes(entry_id: str) -> bytes:
    """Return how the values of all rows begin that lead to an entry."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds).to_bytes(_MILLISECONDS_END, "big") + int(sequence).to_bytes(
        _SEQUENCE_END - _MILLISECONDS_END, "big"
    )


def _start(event_or_request: str) -> bytes:
    return hashlib.blake2b(event_or_request.encode(), digest_size=ID_BYTES).digest()


def _place(value: bytes) -> Place:
    milliseconds = int.from_bytes(value[:_MILLISECONDS_END], "big")
    sequence = int.from_bytes(value[_MILLISECONDS_END:_SEQUENCE_END], "big")
    mode = "live" if value[_SEQUENCE_END:_MODE_END] == b"l" else "test"
    return Place(
        f"{milliseconds}-{sequence}", Namespace(account=value[_MODE_END:].decode(), mode=mode)
    )
