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
from workers import retries, rounds
from workers.failures import SuspectError, is_permanent, reason_of

CONSUMER = "worker"
"""One name for all workers: what one has claimed no other gets, whatever its name."""

ROUND_EVENTS = 500
"""Larger rounds are no faster, and what a killed worker leaves to be done again grows with them."""

DRAIN_SECONDS = 5.0
"""Long enough that RQ's own cost of a job is nothing, short enough for a stop to be quick."""

STUCK_MILLISECONDS = 8_000
"""Claimed this long ago and not acknowledged: its worker is dead, or hopelessly behind."""

SUSPECT_DELIVERIES = 4
"""An entry claimed this often may be what kills the workers: it gets a job of its own."""

log = structlog.get_logger()


def drain(client: redis.Redis, projection: Projection) -> Counter[str]:
    """Apply pending events for some seconds.

    Returns how many came to each outcome; `stalled` counts those put back because the store of
    the projection is away. What this does not finish stays pending: its claim runs out, and the
    worker's maintenance rings for it.
    """
    outcomes: Counter[str] = Counter()
    give_up = time.monotonic() + DRAIN_SECONDS
    entries = _stuck(client) or event_log.claim_new(client, CONSUMER, ROUND_EVENTS)
    while entries:
        try:
            outcomes += _round(client, projection, entries)
        except AWAY as error:
            log.warning("store.away", store="projection", reason=reason_of(error))
            event_log.put_back(client, CONSUMER, [entry.entry_id for entry in entries])
            outcomes["stalled"] += len(entries)
            break
        if time.monotonic() > give_up:
            doorbell.ring(client)
            break
        entries = event_log.claim_new(client, CONSUMER, ROUND_EVENTS)
    return outcomes


def count(client: redis.Redis, outcomes: Counter[str]) -> None:
    """Add to the counters; `client` may be a pipeline."""
    for outcome, number in outcomes.items():
        if number:
            client.hincrby(COUNTERS, outcome, number)


def _stuck(client: redis.Redis) -> list[Entry]:
    """Take over what another worker has claimed and will not finish."""
    stuck = event_log.claim_stuck(client, CONSUMER, STUCK_MILLISECONDS, ROUND_EVENTS)
    _isolate(client, ((e, SuspectError()) for e, taken in stuck if taken >= SUSPECT_DELIVERIES))
    return [entry for entry, taken in stuck if taken < SUSPECT_DELIVERIES]


def _round(client: redis.Redis, projection: Projection, entries: Sequence[Entry]) -> Counter[str]:
    result = rounds.run(projection, entries)
    _isolate(
        client,
        ((e, result.failed[e.entry_id]) for e in entries if e.entry_id in result.failed),
    )
    with client.pipeline(transaction=True) as pipe:
        event_log.acknowledge(
            pipe, [entry.entry_id for entry in entries if entry.entry_id not in result.failed]
        )
        count(pipe, result.outcomes)
        pipe.execute()
    return result.outcomes


def _isolate(client: redis.Redis, failed: Iterable[tuple[Entry, Exception]]) -> None:
    """Give each of these a job of its own and take it off what is pending, in one step."""
    for entry, error in failed:
        retry = retries.failed(retries.begun(client, entry.entry_id, entry.id), reason_of(error))
        with client.pipeline(transaction=True) as pipe:
            retries.write(pipe, entry.entry_id, retry)
            doorbell.enqueue_apply(pipe, entry.id)
            event_log.acknowledge(pipe, [entry.entry_id])
            pipe.execute()
        log.warning(
            "event.failed",
            event_id=entry.id,
            type=entry.type,
            reason=reason_of(error),
            permanent=is_permanent(error),
            attempts=len(retry.attempts),
        )
