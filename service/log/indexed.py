"""The index's rows of entries that are in the log already: taken out, or keyed anew."""

from collections.abc import Iterable
from contextlib import suppress
from importlib.resources import files

import redis

from service.compression import UnreadableError
from service.keys import index_bucket
from service.log.entry import Entry, index_rows
from service.log.index import NO_ROW, entry_bytes

MOVED_TOGETHER = 200
"""Rows moved in one step: a fraction of a millisecond of the store's time."""

_UNINDEX, _REINDEX = (
    (files("service") / "lua" / f"{name}.lua").read_text() for name in ("unindex", "reindex")
)


def unindex(client: redis.Redis, entries: Iterable[Entry]) -> None:
    """Take entries out of the index; `client` may be a pipeline."""
    for entry in entries:
        try:
            rows = index_rows(entry)
        except UnreadableError:  # the digests in its rows are of what cannot be read now
            buckets = {index_bucket(key) for key in (entry.id, entry.request) if key}
            client.eval(_UNINDEX, len(buckets), *buckets, entry_bytes(entry.entry_id))
            continue
        for bucket, field in (row for pair in rows for row in pair if row != NO_ROW):
            client.hdel(bucket, field)


def reindex(client: redis.Redis, entries: Iterable[Entry]) -> None:
    """Have the index know entries by digests that are keyed with the key that seals now.

    What cannot be read keeps its rows; `client` may be a pipeline.
    """
    moves: list[tuple[str, bytes, bytes]] = []
    for entry in entries:
        with suppress(UnreadableError):
            for wanted, *old in zip(*index_rows(entry), strict=True):
                if old and wanted != NO_ROW:
                    known_as = b"".join(row.field for row in old)
                    moves.append((wanted.bucket, wanted.field, known_as))
    for start in range(0, len(moves), MOVED_TOGETHER):
        some = moves[start : start + MOVED_TOGETHER]
        fields = [field for _, *pair in some for field in pair]
        client.eval(_REINDEX, len(some), *[bucket for bucket, *_ in some], *fields)
