"""The dead letters: events that failed for good, to be looked at, tried again, or given up."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

import msgspec
import redis
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from service import doorbell
from service.keys import FAILED
from service.log import event_log
from service.watch.logs import mask
from workers import retries
from workers.operators.desk import Desk
from workers.operators.moments import iso
from workers.operators.story import ShownAttempt, attempts_of

PIECE = 500
"""Looked at together."""

_CONSEQUENCE = "\nThe above exception was the direct cause of the following exception:\n"
"""What follows in a traceback is how the job told RQ of its failure."""

Verdict: TypeAlias = Literal["retried", "discarded", "not_failed", "unknown"]


class DeadLetter(msgspec.Struct, frozen=True):
    """An event that failed for good."""

    event: str
    type: str
    reason: str
    """Why its last attempt failed."""
    attempts: int
    received: str
    failed: str
    """When it failed for good."""
    customer: str
    object: str
    account: str
    mode: str
    entry: str


class DeadLetterStory(msgspec.Struct, frozen=True):
    """A dead letter with everything that was tried."""

    letter: DeadLetter
    attempts: list[ShownAttempt]
    traceback: str
    """Of the last attempt, with what looks like a secret or an e-mail masked; empty where RQ holds
    none any more."""


class Treated(msgspec.Struct, frozen=True):
    """What was done, or would be, with one event."""

    event: str
    entry: str
    verdict: Verdict
    state: str
    """Where it stood before."""
    reason: str


def dead_letters(
    client: redis.Redis, *, reason: str | None = None, oldest_first: bool = False
) -> Iterator[DeadLetter]:
    """Yield the dead letters, the one that failed last first unless told otherwise."""
    ids: Any = client.zrange(FAILED, 0, -1, desc=not oldest_first, withscores=True)
    for start in range(0, len(ids), PIECE):
        piece = {entry_id.decode(): score for entry_id, score in ids[start : start + PIECE]}
        yield from (one for one in _letters(client, piece) if reason in {None, one.reason})


def inspect(desk: Desk, event_id: str) -> list[DeadLetterStory]:
    """Return all that is known of why this event failed; nothing when it has not."""
    ids = [entry.entry_id for entry in event_log.find(desk.log, event_id)]
    scores: Any = desk.log.zmscore(FAILED, ids) if ids else []
    failed_at = {one: score for one, score in zip(ids, scores, strict=True) if score is not None}
    letters = list(_letters(desk.log, failed_at))
    known = retries.histories(desk.log, [letter.entry for letter in letters])
    return [
        DeadLetterStory(letter, attempts_of(history), _traceback(desk, letter.event))
        for letter, history in zip(letters, known, strict=True)
    ]


def named(client: redis.Redis, event_ids: Iterable[str]) -> Iterator[Treated]:
    """Yield what each of these events is: `retried` stands for those that can be tried again."""
    for event_id in dict.fromkeys(event_ids):
        entries = [one for one in event_log.find(client, event_id) if one.id == event_id]
        ids = [entry.entry_id for entry in entries]
        if not ids:
            yield Treated(event_id, "", "unknown", "", "")
        known = retries.histories(client, ids)
        states = event_log.states(client, ids)
        for entry_id, state, history in zip(ids, states, known, strict=True):
            reason = history.attempts[-1].reason if history else ""
            yield Treated(event_id, entry_id, "not_failed", state, reason)


def retry(client: redis.Redis, one: Treated, *, dry_run: bool = False) -> Treated:
    """Have a dead letter or a discarded event tried again at once; its history is kept.

    Any other is left alone, and so is what no job can be named after. Doing it twice is harmless:
    the second time it is being retried.
    """
    [history] = retries.histories(client, [one.entry]) if one.entry else [None]
    if history is None or history.state == "retrying" or not doorbell.can_have_job(history.event):
        return one
    if not dry_run:
        with client.pipeline(transaction=True) as pipe:
            retries.write(pipe, one.entry, retries.again(history))
            doorbell.enqueue_apply(pipe, history.event)
            pipe.execute()
    return msgspec.structs.replace(one, verdict="retried")


def discard(client: redis.Redis, one: Treated, *, dry_run: bool = False) -> Treated:
    """Give up a dead letter: it stays in the log as discarded. Any other is left alone."""
    [history] = retries.histories(client, [one.entry]) if one.entry else [None]
    if history is None or history.state != "failed":
        return one
    if not dry_run:
        if not retries.discard(client, one.entry, history):
            return one
        doorbell.forget_job(client, history.event)
    return msgspec.structs.replace(one, verdict="discarded")


def treated(letter: DeadLetter) -> Treated:
    """Return a dead letter as one to be treated."""
    return Treated(letter.event, letter.entry, "not_failed", "failed", letter.reason)


def _letters(client: redis.Redis, failed_at: Mapping[str, float]) -> Iterator[DeadLetter]:
    entries = event_log.fetch(client, list(failed_at))
    known = retries.histories(client, [entry.entry_id for entry in entries])
    for entry, history in zip(entries, known, strict=True):
        if history and history.state == "failed":  # else it was tried again since we looked
            yield DeadLetter(
                event=entry.id,
                type=entry.type,
                reason=history.attempts[-1].reason,
                attempts=len(history.attempts),
                received=iso(entry.received_ms / 1000),
                failed=iso(failed_at[entry.entry_id]),
                customer=entry.customer,
                object=entry.object,
                account=entry.account,
                mode=entry.mode,
                entry=entry.entry_id,
            )


def _traceback(desk: Desk, event_id: str) -> str:
    try:
        job = Job.fetch(event_id, connection=desk.log, serializer=JSONSerializer)
    except NoSuchJobError:
        return ""
    result = job.latest_result()
    said = (result and result.exc_string) or ""
    return mask(said.partition(_CONSEQUENCE)[0], desk.settings.secrets).strip()
