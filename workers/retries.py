"""What went wrong with an event so far: kept beside the log until it is applied.

An attempt is noted before it is made, so that one which kills its worker counts as well.
"""

import time
from collections.abc import Sequence
from typing import Literal

import msgspec
import redis

from service.doorbell import APPLY_RETRY_SECONDS, JOB_TIMEOUT_SECONDS
from service.keys import DISCARDED, FAILED, OVERCOME, RETRIES
from service.log import standing

MOST_ATTEMPTS = 1 + 1 + len(APPLY_RETRY_SECONDS)
"""Once in a drain, once in a job of its own, and that job's retries."""

INTERRUPTED = "interrupted"
"""The reason of an attempt that nothing has ended yet: it goes on, or its worker is dead."""

OVERDUE_SECONDS = 5
"""How late an attempt may be before its job is taken for lost with its worker."""

SCANNED = 1_000
"""Histories read in one step: some hundred kilobytes."""

LONGEST_SECONDS = max(*APPLY_RETRY_SECONDS, JOB_TIMEOUT_SECONDS)
"""No attempt is due later than this."""


class Attempt(msgspec.Struct, frozen=True):
    """One try at applying an event."""

    at: float
    """When it began, unix seconds."""
    reason: str
    """What ended it; INTERRUPTED until something does."""


class Retry(msgspec.Struct, frozen=True):
    """The history of an event that has failed."""

    event: str
    state: Literal["retrying", "failed", "discarded"]
    due: float
    """When the next attempt should have begun, unix seconds; of what is discarded, since when."""
    attempts: list[Attempt]


def begun(client: redis.Redis, entry_id: str, event_id: str) -> Retry:
    """Return the history of an entry with an attempt that begins now."""
    now = time.time()
    [known] = histories(client, [entry_id])
    before = known.attempts if known else []
    return Retry(
        event=event_id,
        state="retrying",
        due=now + JOB_TIMEOUT_SECONDS,
        attempts=[*before, Attempt(at=now, reason=INTERRUPTED)],
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


def spent(retry: Retry) -> bool:
    """Tell whether it was tried often enough, and the last attempt killed its worker."""
    return len(retry.attempts) >= MOST_ATTEMPTS and retry.attempts[-1].reason == INTERRUPTED


def postponed(retry: Retry) -> Retry:
    """Return the history with its next attempt due as if it began now."""
    return msgspec.structs.replace(retry, due=time.time() + JOB_TIMEOUT_SECONDS)


def again(retry: Retry) -> Retry:
    """Return the history of an event that an operator wants tried again."""
    return postponed(msgspec.structs.replace(retry, state="retrying"))


def discarded(retry: Retry) -> Retry:
    """Return the history of an event that an operator gives up."""
    return msgspec.structs.replace(retry, state="discarded", due=time.time())


def histories(client: redis.Redis, entry_ids: Sequence[str]) -> list[Retry | None]:
    """Return the history of each entry that has failed, be it discarded; None of all others."""
    if not entry_ids:
        return []
    with client.pipeline(transaction=True) as pipe:
        pipe.hmget(RETRIES, list(entry_ids))
        pipe.hmget(DISCARDED, list(entry_ids))
        values = [failing or given_up for failing, given_up in zip(*pipe.execute(), strict=True)]
    return [_decode(value) if value else None for value in values]


def overcome(client: redis.Redis, entry_ids: Sequence[str]) -> list[Retry | None]:
    """Return the history of each entry that was applied after it had failed; None of all others."""
    values = client.hmget(OVERCOME, list(entry_ids)) if entry_ids else []
    return [_decode(value) if isinstance(value, bytes) else None for value in values]


def write(client: redis.Redis, entry_id: str, retry: Retry) -> bool:
    """Store a history: the entry is not pending any more; `client` may be a pipeline.

    False when the entry has left the log meanwhile: it has no history then.
    """
    return standing.fail(client, entry_id, retry.state, time.time(), _encode(retry))


def forget(client: redis.Redis, entry_id: str) -> None:
    """Drop the history of an entry that has been applied."""
    standing.settle(client, [entry_id])


def discard(client: redis.Redis, entry_id: str, retry: Retry) -> bool:
    """Move a failed entry to the discarded ones; False when it is not failed any more."""
    return standing.discard(client, entry_id, _encode(discarded(retry)))


def overdue(client: redis.Redis) -> list[tuple[str, Retry]]:
    """Return the histories, by entry id, of what should have been tried again by now.

    What is due later than after the longest pause was written before the clock was set back. Every
    worker asks this every few seconds, and dead letters may be many: alone they are not read.
    """
    if client.hlen(RETRIES) == client.zcard(FAILED):
        return []
    now = time.time()
    histories = (
        (entry_id.decode(), _decode(value))
        for entry_id, value in client.hscan_iter(RETRIES, count=SCANNED)
    )
    return [
        (e, r)
        for e, r in histories
        if r.state == "retrying" and not -OVERDUE_SECONDS <= r.due - now <= LONGEST_SECONDS
    ]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Retry).decode
