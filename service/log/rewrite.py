"""Write the event log anew, so that what was erased from it, or sealed otherwise, is nowhere in it.

A stream keeps its entries in packed nodes and only marks those that are deleted; the store's files
hold such nodes whole. Deliveries and workers go on meanwhile; the copy takes room for a second log.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any, TypeAlias

import redis

from service.keys import GROUP, LOG, LOG_COPY
from service.log.entry import Entry, read_entry

Bodies: TypeAlias = Callable[[Sequence[Entry]], Mapping[str, bytes]]
"""Returns by entry id the body, as it is to be stored, of those whose own is not to be copied."""

PIECE = 500
"""Copied in one step: some milliseconds in which the store does nothing else."""

_SCRIPT = (files("service") / "lua" / "rewrite_log.lua").read_text()


def rewrite_log(
    client: redis.Redis, progress: Callable[[int], None], bodies: Bodies | None = None
) -> None:
    """Return when the log has been written anew: the same entries, ids, and pending ones.

    Stopped in the middle and called again it goes on. `progress` is told how many were copied. An
    entry that `bodies` was not asked about, for it has just come, is copied as it is.

    Raises:
        redis.RedisError: the store is away or has no room for the copy; the log is as it was.

    """
    script = client.register_script(_SCRIPT)
    done = False
    while not done:
        anew = bodies(_next_piece(client)) if bodies else {}
        pairs = [part for entry_id, body in anew.items() for part in (entry_id, body)]
        reply: Any = script((LOG, LOG_COPY), (GROUP, PIECE, *pairs))
        copied, done = reply
        progress(copied)


def _next_piece(client: redis.Redis) -> list[Entry]:
    """Return the entries that the script will copy next, but for those that come meanwhile."""
    last: Any = client.xrevrange(LOG_COPY, count=1)
    items: Any = client.xrange(LOG, f"({last[0][0].decode()}" if last else "-", count=PIECE)
    return [read_entry(item) for item in items]
