"""The drain: claim what is pending, apply it in rounds, and ring again if some is left."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence

import redis
import structlog

from service import doorbell, event_log
from service.entry import Entry
from service.keys import COUNTERS
from service.projection import Projection
from service.stores import AWAY
from workers import doubts, halting, retries, rounds
from workers.failures import SuspectError, is_permanent, reason_of

CONSUMER = "worker"
"""One name for all workers: what one has claimed no other gets, whatever its name."""

ROUND_EVENTS = 500
"""Larger rounds are no faster, and what a killed worker leaves to be done again grows with them."""

DRAIN_SECONDS = 5.0
"""Long enough that RQ's own cost of a job is nothing, short enough for a stop to be quick."""

STUCK_MILLISECONDS = 8_000
"""Claimed this long ago and not acknowledged: its worker is dead, or hopelessly behind."""

SUSPECT_DELIVERIES = 3
"""Once in company and once alone, and both times its worker died: it gets a job of its own."""

log = structlog.get_logger()


def drain(client: redis.Redis, projection: Projection) -> Counter[str]:
    """Apply pending events for some seconds.

    Returns how many came to each outcome; `stalled` counts those put back because the store of
    the projection is away, `halted` those put back because nearly all fail. What this does not
    finish stays pending: its claim runs out, and the worker's maintenance rings for it.
    """
    outcomes: Counter[str] = Counter()
    give_up = time.monotonic() + DRAIN_SECONDS
    if (halt := halting.current(client)) and not _probe(client, projection, halt, outcomes):
        return outcomes
    while entries := _claim(client, ROUND_EVENTS):
        if not _apply(client, projection, entries, outcomes, halt=None):
            break
        if time.monotonic() > give_up:
            doorbell.ring(client)
            break
    return outcomes


def count(client: redis.Redis, outcomes: Counter[str]) -> None:
    """Add to the counters; `client` may be a pipeline."""
    for outcome, number in outcomes.items():
        if number:
            client.hincrby(COUNTERS, outcome, number)


def _probe(
    client: redis.Redis, projection: Projection, halt: halting.Halt, outcomes: Counter[str]
) -> bool:
    """Try a few events when the pause is over; tells whether all may go on."""
    if halting.pause_seconds(halt):
        time.sleep(halting.NAP_SECONDS)
        outcomes["halted"] = 0
        return False
    entries = _claim(client, halting.PROBE_EVENTS)
    return bool(entries) and _apply(client, projection, entries, outcomes, halt=halt)


def _claim(client: redis.Redis, number: int) -> list[Entry]:
    """Claim what another worker has claimed and will not finish, or was put back; the rest is new.

    What a worker may have died of is tried alone, and in the end it gets a job of its own.
    """
    claimed = event_log.claim_stuck(client, CONSUMER, STUCK_MILLISECONDS, number // 2)
    stuck = [entry for entry, taken in claimed if taken < SUSPECT_DELIVERIES]
    _isolate(client, ((e, SuspectError()) for e, taken in claimed if taken >= SUSPECT_DELIVERIES))
    if stuck and any(taken > 1 for _, taken in claimed):
        return stuck
    return stuck + event_log.claim_new(client, CONSUMER, number - len(stuck))


def _apply(
    client: redis.Redis,
    projection: Projection,
    entries: Sequence[Entry],
    outcomes: Counter[str],
    *,
    halt: halting.Halt | None,
) -> bool:
    """Apply a round; what cannot be applied now is put back. Tells whether to go on."""
    try:
        result = rounds.run(projection, entries)
    except AWAY as error:
        log.warning("store.away", store="projection", reason=reason_of(error))
        event_log.put_back(client, CONSUMER, [entry.entry_id for entry in entries])
        outcomes["stalled"] += len(entries)
        return False
    entries = entries[: len(entries) - len(result.left)]
    held = _stop_rule.held(client, [entry.entry_id for entry in entries], result.failed, halt)
    result.outcomes["failed"] -= len(held)
    _isolate(
        client,
        (
            (entry, result.failed[entry.entry_id])
            for entry in entries
            if entry.entry_id in result.failed.keys() - held
        ),
    )
    with client.pipeline(transaction=True) as pipe:
        event_log.acknowledge(
            pipe, [entry.entry_id for entry in entries if entry.entry_id not in result.failed]
        )
        doubts.note(pipe, result.doubts)
        count(pipe, result.outcomes)
        pipe.execute()
    event_log.put_back(client, CONSUMER, sorted(held))
    at_once = [entry.entry_id for entry in result.left]
    event_log.put_back(client, CONSUMER, at_once, idle_ms=STUCK_MILLISECONDS)
    outcomes += result.outcomes
    if held:
        outcomes["halted"] += len(held)
    return not held


def _isolate(client: redis.Redis, failed: Iterable[tuple[Entry, Exception]]) -> None:
    """Give each of these a job of its own and take it off what is pending, in one step."""
    for entry, error in failed:
        retry = retries.failed(retries.begun(client, entry.entry_id, entry.id), reason_of(error))
        with client.pipeline(transaction=True) as pipe:
            retries.write(pipe, entry.entry_id, retry)
            doorbell.enqueue_apply(pipe, entry.id)
            pipe.execute()
        log.warning(
            "event.failed",
            event_id=entry.id,
            type=entry.type,
            reason=reason_of(error),
            permanent=is_permanent(error),
            attempts=len(retry.attempts),
        )


_stop_rule = halting.StopRule()
