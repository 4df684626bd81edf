"""The jobs that RQ runs, by the dotted names under which the queue holds them.

A job names an event at most; all else comes from the log and from this process's settings, so that
whoever can write to the queue can make a worker do nothing but its work.
"""

import os
import time
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import redis
import structlog
from rq import get_current_job

from service import sealing, stores
from service.compression import LackingError
from service.drop import Drop
from service.log import event_log, forgotten
from service.log.entry import Entry
from service.projection import Projection
from service.settings import Settings
from service.watch.meters import JOBS
from workers import draining, erasing, halting, notes, pace, replaying, retries, rounds
from workers.failures import EventFailedError, is_permanent, reason_of
from workers.rounds import Round

log = structlog.get_logger()


class Stores(NamedTuple):
    """What a worker process holds open; RQ has a connection of its own, and changes it."""

    log: redis.Redis
    projection: Projection


def open_stores(settings: Settings) -> Stores:
    """Open the stores for all jobs of this process."""
    global _stores  # noqa: PLW0603 - RQ calls a plain function: a process is all they share
    sealing.use(settings.encryption_keys)
    timeout = settings.store_timeout_seconds
    _stores = Stores(
        log=stores.connect(settings.redis_url, timeout=timeout),
        projection=Projection(
            stores.connect_projection(settings.projection_url, timeout=timeout),
            Drop(settings.drop_fields),
        ),
    )
    halting.probe_soon(_stores.log)
    return _stores


def drain() -> dict[str, int]:
    """Apply what is pending; returns how many events came to each outcome."""
    return dict(_drain(*_open()))


def replay() -> dict[str, int]:
    """Apply again what the replay queue holds; returns how many events came to each outcome."""
    began = time.monotonic()
    log_client, projection = _open()
    outcomes = replaying.replay(log_client, projection)
    _tell(log_client, "replay", outcomes, began, outcome=_word(outcomes))
    return dict(outcomes)


def apply(event_id: str) -> dict[str, int]:
    """Apply one event that has failed before; or any event again.

    Raises:
        EventFailedError: it failed again. RQ tries it later, or lays it among its failed jobs
            when trying is useless or has been done often enough.

    """
    began = time.monotonic()
    log_client, projection = _open()
    outcomes: Counter[str] = Counter()
    failures = [
        (error, final)
        for entry in _entries_to_apply(log_client, event_id)
        for error, final in _apply_one(log_client, projection, entry, outcomes)
    ]
    draining.count(log_client, outcomes)
    outcome = "failed" if failures else "done"
    _tell(log_client, "apply", outcomes, began, outcome=outcome, event_id=event_id)
    _drain(log_client, projection)  # whoever appended while this job waited took it for the bell
    if failures:
        job = get_current_job()
        if job and all(final for _, final in failures):
            job.retries_left = 0
        error = failures[0][0]
        raise EventFailedError(f"{event_id}: {error}") from error
    return dict(outcomes)


def _drain(client: redis.Redis, projection: Projection) -> Counter[str]:
    began = time.monotonic()
    between = partial(replaying.one_round, client, projection)
    outcomes = draining.drain(client, projection, meanwhile=between)
    _tell(client, "drain", outcomes, began, outcome=_word(outcomes))
    return outcomes


def _word(outcomes: Mapping[str, int]) -> str:
    return next((word for word in ("stalled", "halted") if word in outcomes), "done")


def _entries_to_apply(client: redis.Redis, event_id: str) -> list[Entry]:
    """Return the entries of this id that have failed; when none has, those that were applied.

    The test events of Stripe's dashboard all have the same id.
    """
    entries = event_log.find(client, event_id)
    states = event_log.states(client, [entry.entry_id for entry in entries])
    failing = [e for e, s in zip(entries, states, strict=True) if s in {"retrying", "failed"}]
    return failing or [e for e, s in zip(entries, states, strict=True) if s == "applied"]


def _apply_one(
    client: redis.Redis, projection: Projection, entry: Entry, outcomes: Counter[str]
) -> list[tuple[Exception, bool]]:
    """Apply one entry; returns what stopped it, and whether for good."""
    retry = retries.begun(client, entry.entry_id, entry.id)
    retries.write(client, entry.entry_id, retry)
    spent = len(retry.attempts) >= retries.MOST_ATTEMPTS and not halting.current(client)
    try:
        result = rounds.run(projection, [entry], forgotten.among(client, [entry]))
        error = result.failed.get(entry.entry_id)
    except stores.AWAY as away:
        error, spent = away, False
    else:
        outcomes += result.outcomes
        _note(client, entry, result, applied=error is None)
    if error is None:
        return []
    final = is_permanent(error) or (spent and not isinstance(error, LackingError))
    history = retries.failed(retry, reason_of(error), final=final)
    if not retries.write(client, entry.entry_id, history):
        return []  # erased meanwhile: nobody is to try it again, nor to keep what it says
    return [(error, final)]


def _note(client: redis.Redis, entry: Entry, result: Round, *, applied: bool) -> None:
    """Settle the entry if it is applied, in one step with all that is to be noted of it."""
    erased = erasing.to_erase(client, [entry], result)
    with client.pipeline(transaction=True) as pipe:
        if applied:
            retries.forget(pipe, entry.entry_id)
        notes.write(pipe, result, erased)
        pipe.execute()
    pace.meter(client, result.meters)


def _open() -> Stores:
    return _stores or open_stores(Settings.from_environ(os.environ, role="worker"))


def _tell(
    client: redis.Redis,
    name: str,
    outcomes: Mapping[str, int],
    began: float,
    *,
    outcome: str,
    **more: str,
) -> None:
    """Count a job that ended, and log it."""
    pace.meter(client, Counter([JOBS.field(name, outcome)]))
    counts = {key: number for key, number in outcomes.items() if number}
    level = log.info if outcome in {"done", "halted"} else log.warning
    milliseconds = round((time.monotonic() - began) * 1000, 1)
    level("job.done", job=name, outcome=outcome, **counts, **more, duration_ms=milliseconds)


_stores: Stores | None = None
