"""The drain: claim what waits in a line, apply it in rounds, and ring again if some is left."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import redis
import structlog

from service import doorbell
from service.compression import LackingError
from service.keys import COUNTERS
from service.log import event_log, forgotten
from service.log.entry import Entry
from service.projection import Projection
from service.stores import AWAY
from workers import erasing, halting, lines, notes, pace, retries, rounds
from workers.failures import SuspectError, is_permanent, reason_of
from workers.lines import Line

ROUND_EVENTS = 500
"""Larger rounds are no faster, and what a killed worker leaves to be done again grows with them."""

DRAIN_SECONDS = 5.0
"""Long enough that RQ's own cost of a job is nothing, short enough for a stop to be quick."""

STUCK_MILLISECONDS = 8_000
"""Claimed this long ago and not acknowledged: its worker is dead, or hopelessly behind."""

SUSPECT_DELIVERIES = 3
"""Once in company and once alone, and both times its worker died: it gets a job of its own."""

log = structlog.get_logger()


def drain(
    client: redis.Redis, projection: Projection, *, meanwhile: Callable[[], None] = lambda: None
) -> Counter[str]:
    """Apply pending events for some seconds.

    Returns how many came to each outcome; `stalled` counts those put back because the store of
    the projection is away, `halted` those put back because nearly all fail. What this does not
    finish stays pending: its claim runs out, and the worker's maintenance rings for it.

    `meanwhile` is called after each round that has left nothing pending: under a steady load such
    a drain takes all of its seconds, and what waits behind it would never have its turn.
    """
    line = lines.pending(client, _stop_rule)
    return work_off(projection, line, meanwhile=meanwhile)


def work_off(
    projection: Projection,
    line: Line,
    *,
    seconds: float = DRAIN_SECONDS,
    meanwhile: Callable[[], None] = lambda: None,
) -> Counter[str]:
    """Apply what waits in a line for so many seconds, or until another line goes first.

    A round is finished in any case, so 0 seconds are one round.
    """
    done = _Done(Counter(), pace.Meters(line.client))
    give_up = time.monotonic() + seconds
    halt = line.stop_rule.halt(line.client)
    try:
        if halt and not _probe(projection, line, halt, done):
            return done.outcomes
        while (claimed := _claim(line, ROUND_EVENTS)).entries:
            if not _apply(projection, claimed.entries, done, line, halt=None):
                break
            if time.monotonic() > give_up or line.must_yield():
                line.ring()
                break
            if claimed.all_there_is:
                meanwhile()
    finally:
        done.meters.tell()
    return done.outcomes


def count(client: redis.Redis, outcomes: Counter[str]) -> None:
    """Add to the counters; `client` may be a pipeline."""
    for outcome, number in outcomes.items():
        if number:
            client.hincrby(COUNTERS, outcome, number)


class _Done(NamedTuple):
    """What a drain has done so far."""

    outcomes: Counter[str]
    meters: pace.Meters


def _probe(projection: Projection, line: Line, halt: halting.Halt, done: _Done) -> bool:
    """Try a few events when the pause is over; tells whether all may go on."""
    if halting.pause_seconds(halt):
        line.rest()
        done.outcomes["halted"] = 0
        return False
    entries = _claim(line, halting.PROBE_EVENTS).entries
    return bool(entries) and _apply(projection, entries, done, line, halt=halt)


class _Claimed(NamedTuple):
    """Entries for a round."""

    entries: list[Entry]
    all_there_is: bool
    """False when more may wait, be it only for being claimed alone."""


def _claim(line: Line, number: int) -> _Claimed:
    """Claim what another worker has claimed and will not finish, or was put back; the rest is new.

    What a worker may have died of is tried alone, and in the end it gets a job of its own.
    """
    claimed = line.claim_stuck(STUCK_MILLISECONDS, number // 2)
    stuck = [entry for entry, taken in claimed if taken < SUSPECT_DELIVERIES]
    suspects = [entry for entry, taken in claimed if taken >= SUSPECT_DELIVERIES]
    _isolate(line.client, ((entry, SuspectError()) for entry in suspects))
    line.finish(line.client, [entry.entry_id for entry in suspects], {})
    if stuck and any(taken > 1 for _, taken in claimed):
        return _Claimed(stuck, all_there_is=False)
    entries = stuck + line.claim_new(number - len(stuck))
    return _Claimed(entries, all_there_is=not claimed and len(entries) < number)


def _apply(
    projection: Projection,
    entries: Sequence[Entry],
    so_far: _Done,
    line: Line,
    *,
    halt: halting.Halt | None,
) -> bool:
    """Apply a round; what cannot be applied now is put back. Tells whether to go on."""
    client, outcomes = line.client, so_far.outcomes
    began = time.time()
    forgotten_among = forgotten.among(client, entries)
    try:
        result = rounds.run(projection, entries, forgotten_among)
    except AWAY as error:
        log.warning("store.away", store="projection", reason=reason_of(error))
        line.put_back([entry.entry_id for entry in entries])
        outcomes["stalled"] += len(entries)
        return False
    entries = entries[: len(entries) - len(result.left)]
    halted = line.stop_rule.held(client, [entry.entry_id for entry in entries], result.failed, halt)
    held = halted | _unreadable_here(result.failed)
    result.outcomes["failed"] -= len(held)
    _isolate(
        client,
        (
            (entry, result.failed[entry.entry_id])
            for entry in entries
            if entry.entry_id in result.failed.keys() - held
        ),
    )
    erased = erasing.to_erase(client, entries, result)
    with client.pipeline(transaction=True) as pipe:
        event_log.acknowledge(
            pipe, [entry.entry_id for entry in entries if entry.entry_id not in result.failed]
        )
        notes.write(pipe, result, erased)
        count(pipe, result.outcomes)
        done = [entry.entry_id for entry in entries if entry.entry_id not in held]
        line.finish(pipe, done, result.outcomes)
        pipe.execute()
    if line.is_live:
        result.meters.update(pace.delays(entries, result))
        pace.trace(entries, result, began)
    so_far.meters.add(result.meters)
    line.put_back(sorted(held))
    line.put_back([entry.entry_id for entry in result.left], idle_ms=STUCK_MILLISECONDS)
    outcomes += result.outcomes
    if held:
        outcomes["halted"] += len(held)
    return not halted


def _unreadable_here(failed: Mapping[str, Exception]) -> set[str]:
    """Return which entries failed for what this worker lacks: they wait until it is given that."""
    lacking = {entry: error for entry, error in failed.items() if isinstance(error, LackingError)}
    for reason, entries in Counter(map(str, lacking.values())).items():
        log.error("event.unreadable", reason=reason, entries=entries, advice="they stay pending")
    return set(lacking)


def _isolate(client: redis.Redis, failed: Iterable[tuple[Entry, Exception]]) -> None:
    """Give each of these a job of its own and take it off what is pending, in one step.

    What can have none is a dead letter at once.
    """
    for entry, error in failed:
        begun = retries.begun(client, entry.entry_id, entry.id)
        can_have_one = doorbell.can_have_job(entry.id)
        retry = retries.failed(begun, reason_of(error), final=not can_have_one)
        with client.pipeline(transaction=True) as pipe:
            retries.write(pipe, entry.entry_id, retry)
            if can_have_one:
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
