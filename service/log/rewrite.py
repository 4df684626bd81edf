"""Write the event log anew, so that what was erased from it is nowhere in it any more.

A stream keeps its entries in packed nodes and only marks those that are deleted; the store's files
hold such nodes whole. Deliveries and workers go on meanwhile; the copy takes room for a second log.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import redis

from service.keys import GROUP, LOG, LOG_COPY

PIECE = 500
"""Copied in one step: some milliseconds in which the store does nothing else."""

_SCRIPT = (files("service") / "lua" / "rewrite_log.lua").read_text()


def rewrite_log(client: redis.Redis, progress: Callable[[int], None]) -> None:
    """Return when the log has been written anew: the same entries, ids, and pending ones.

    Stopped in the middle and called again it goes on. `progress` is told how many were copied.

    Raises:
        redis.RedisError: the store is away or has no room for the copy; the log is as it was.

    """
    script = client.register_script(_SCRIPT)
    done = False
    while not done:
        reply: Any = script((LOG, LOG_COPY), (GROUP, PIECE))
        copied, done = reply
        progress(copied)
