"""What went wrong with an event so far: kept beside the log until it is applied.

An attempt is noted before it is made, so that one which kills its worker counts as well.
"""

import time
from typing import Any, Literal

import msgspec
import redis

from service.doorbell import APPLY_RETRY_SECONDS, JOB_TIMEOUT_SECONDS
from service.keys import RETRIES

MOST_ATTEMPTS = 1 + 1 + len(APPLY_RETRY_SECONDS)
"""Once in a drain, once in a job of its own, and that job's retries."""

OVERDUE_SECONDS = 5
"""How late an attempt may be before its job is taken for lost with its worker."""


class Attempt(msgspec.Struct, frozen=True):
    """One try at applying an event."""

    at: float
    """When it began, unix seconds."""
    reason: str
    """What ended it; `interrupted` until something does."""


class Retry(msgspec.Struct, frozen=True):
    """The history of an event that has failed."""

    event: str
    state: Literal["retrying", "failed"]
    due: float
    """When the next attempt should have begun, unix seconds."""
    attempts: list[Attempt]


def begun(client: redis.Redis, entry_id: str, event_id: str) -> Retry:
    """Return the history of an entry with an attempt that begins now."""
    now = time.time()
    value: Any = client.hget(RETRIES, entry_id)
    before = _decode(value).attempts if value else []
    return Retry(
        event=event_id,
        state="retrying",
        due=now + JOB_TIMEOUT_SECONDS,
        attempts=[*before, Attempt(at=now, reason="interrupted")],
    )


def failed(retry: Retry, reason: str, *, final: bool = False) -> Retry:
    """Return the history with its last attempt failed, and the next one due."""
    *before, last = retry.attempts
    pause = APPLY_RETRY_SECONDS[min(len(before), len(APPLY_RETRY_SECONDS) - 1)]
    return Retry(
        event=retry.event,
        state="failed" if final else "retrying",
        due=time.time() + pause,
        attempts=[*before, Attempt(at=last.at, reason=reason)],
    )


def postponed(retry: Retry) -> Retry:
    """Return the history with its next attempt due as if it began now."""
    return msgspec.structs.replace(retry, due=time.time() + JOB_TIMEOUT_SECONDS)


def write(client: redis.Redis, entry_id: str, retry: Retry) -> None:
    """Store a history; `client` may be a pipeline."""
    client.hset(RETRIES, entry_id, _encode(retry))


def forget(client: redis.Redis, entry_id: str) -> None:
    """Drop the history of an entry that has been applied."""
    client.hdel(RETRIES, entry_id)


def overdue(client: redis.Redis) -> list[tuple[str, Retry]]:
    """Return the histories, by entry id, of what should have been tried again by now."""
    latest = time.time() - OVERDUE_SECONDS
    histories = (
        (entry_id.decode(), _decode(value)) for entry_id, value in client.hscan_iter(RETRIES)
    )
    return [(e, r) for e, r in histories if r.state == "retrying" and r.due < latest]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Retry).decode
