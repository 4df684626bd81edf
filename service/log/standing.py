"""Where an entry stands, and its steps from one standing to the next, each of them atomic.

An accepted event is pending, then applied; or retrying, then applied or failed; and an operator may
discard what failed. Every step counts itself, so at every instant

    accepted = settled (applied) + pending + retrying + failed + discarded.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import redis

from service.doorbell import FAILED_JOBS_KEY
from service.keys import COUNTERS, DISCARDED, FAILED, GROUP, LOG, OVERCOME, RETRIES
from service.log.entry import Entry
from service.log.indexed import unindex

_SETTLE, _FAIL, _DISCARD, _ERASE = (
    (files("service") / "lua" / f"{name}.lua").read_text()
    for name in ("settle", "fail", "discard", "erase")
)
_KEYS = (LOG, RETRIES, FAILED, DISCARDED, COUNTERS)
_SETTLE_KEYS = (*_KEYS, OVERCOME, FAILED_JOBS_KEY)
_DISCARD_KEYS = (RETRIES, FAILED, DISCARDED, COUNTERS)


def settle(client: redis.Redis, entry_ids: Sequence[str]) -> None:
    """Mark entries as applied, from whatever standing; `client` may be a pipeline."""
    if entry_ids:
        client.eval(_SETTLE, len(_SETTLE_KEYS), *_SETTLE_KEYS, GROUP, *entry_ids)


def fail(client: redis.Redis, entry_id: str, state: str, now: float, history: bytes) -> bool:
    """Mark an entry as retrying or failed, from whatever standing; `client` may be a pipeline.

    False when it has left the log meanwhile: then there is nothing to be tried again.
    """
    arguments: Any = (GROUP, entry_id, state, now, history)
    return bool(client.eval(_FAIL, len(_KEYS), *_KEYS, *arguments))


def discard(client: redis.Redis, entry_id: str, history: bytes) -> bool:
    """Mark a failed entry as discarded; False when it is not failed any more."""
    arguments: Any = (entry_id, history)
    return bool(client.eval(_DISCARD, len(_DISCARD_KEYS), *_DISCARD_KEYS, *arguments))


def erase(client: redis.Redis, entries: Sequence[Entry]) -> None:
    """Erase entries from wherever they stand, with their index; `client` may be a pipeline.

    What was pending or failing counts as applied: what it tells is forgotten, and so told already.
    """
    if not entries:
        return
    ids = [entry.entry_id for entry in entries]
    client.eval(_ERASE, len(_SETTLE_KEYS), *_SETTLE_KEYS, GROUP, *ids)
    unindex(client, entries)
