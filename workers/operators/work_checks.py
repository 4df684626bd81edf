"""The doctor's look at the work: whether events get from the log into the answers."""

from typing import Any

import redis

from service.keys import GROUP, LOG
from workers.operators.finding import Finding, advice, ok, trouble
from workers.operators.queue_check import queue_finding
from workers.operators.status import Status

LATE_SECONDS = 10.0
"""Workers apply an event within milliseconds, and ring for a forgotten one within three seconds."""

BEHIND_SECONDS = 30.0
"""After any crash the workers have caught up within this."""


def work_findings(status: Status, client: redis.Redis, *, retention_days: int) -> list[Finding]:
    """Return what can be said of the work."""
    return [
        _workers(status),
        _halted(status),
        _replaying(status),
        _group(client),
        queue_finding(client),
        _pending(status),
        _dead_letters(status),
        _retention(retention_days),
        _caught_up(status),
    ]


def _workers(status: Status) -> Finding:
    check = "workers"
    alive = sum(worker.alive for worker in status.workers)
    if not alive:
        return trouble(
            check,
            "No worker is alive: events are kept and not applied, and answers grow old.",
            "Start one: onfile worker. Let a supervisor keep it running.",
        )
    return ok(check, f"{alive} alive.")


def _halted(status: Status) -> Finding:
    check = "halted"
    halted = status.halted
    if halted is None:
        return ok(check, "The workers take events.")
    return trouble(
        check,
        f"The workers take no events since {halted.since}: {halted.failed} of the last "
        f"{halted.tried} failed with {halted.reason}. {status.pending} stay pending; none is lost.",
        "Most likely a release is bad: mend it or go back to the one before, and restart the "
        "workers. They try a few events after each pause and go on by themselves. The traceback "
        "is in their log, and in: onfile failed list, onfile events list --state retrying.",
    )


def _replaying(status: Status) -> Finding:
    check = "replay"
    left, halted = status.replaying.left, status.replaying.halted
    if halted is None or not left:
        return ok(check, f"{left} events wait to be applied again.")
    return trouble(
        check,
        f"A replay pauses since {halted.since} with {left} events left: {halted.failed} of the "
        f"last {halted.tried} failed with {halted.reason}. New events are applied all the same.",
        "Mend what fails, and it goes on by itself; or drop what is left: onfile replay --cancel.",
    )


def _group(client: redis.Redis) -> Finding:
    check = "log.group"
    try:
        groups: Any = client.xinfo_groups(LOG)
    except redis.ResponseError:
        return ok(check, "The log is empty: nothing has come yet.")
    if any(group["name"] == GROUP.encode() for group in groups):
        return ok(check, "The log knows what is pending.")
    return trouble(
        check,
        "The log's consumer group is missing, so everything in it counts as pending: no worker "
        "was ever here, or somebody removed it.",
        "Start a worker: it makes the group and applies the log from its beginning, which changes "
        "no answer that was right.",
    )


def _pending(status: Status) -> Finding:
    """Tell a forgotten event from a long queue: both wait, only one has somebody at it."""
    check = "pending"
    waited = status.oldest_pending_seconds or 0.0
    if waited < LATE_SECONDS or status.halted:
        return ok(check, f"{status.pending} pending, the oldest for {waited:.1f} seconds.")
    oldest = f"{status.pending} events are pending, the oldest for {waited:.0f} seconds"
    if not status.jobs_waiting and not any(worker.job for worker in status.workers):
        return trouble(
            check,
            f"{oldest}, and no job is there to apply them.",
            "Start a worker, or restart those that are there: each looks for forgotten events "
            "every few seconds. If it stays so, look at its log.",
        )
    if waited < BEHIND_SECONDS:
        return advice(check, f"{oldest}.", "Look again: onfile status.")
    return trouble(
        check,
        f"{oldest}: the workers are behind, and answers are old.",
        "If out is less than in (onfile status), start more workers; else wait.",
    )


def _dead_letters(status: Status) -> Finding:
    check = "dead_letters"
    if not status.failed:
        return ok(check, "No dead letters.")
    return trouble(
        check,
        f"{status.failed} events failed for good: the answers lack what they tell.",
        "onfile failed list says why. Mend it, then: onfile failed retry --all. What can never be "
        "applied: onfile failed discard EVENT.",
    )


STRIPE_DAYS = 30
"""How long Stripe lists an event and lets anybody send it again."""


def _retention(days: int) -> Finding:
    check = "retention"
    if days >= STRIPE_DAYS:
        return ok(check, f"The log keeps {days} days, as long as Stripe sends events again.")
    return trouble(
        check,
        f"The log keeps {days} days and Stripe sends events again for {STRIPE_DAYS}: an older one "
        "comes in as new (that harms no answer: tombstones have no end), and can no longer be "
        "replayed from here.",
        f"Set ONFILE_RETENTION_DAYS to {STRIPE_DAYS} or more, for every process.",
    )


def _caught_up(status: Status) -> Finding:
    check = "caught_up"
    late = [gap for gap in status.caught_up if gap.alarming]
    if not late:
        return ok(check, "No gap nears the thirty days for which Stripe shows its events.")
    oldest = min(late, key=lambda gap: gap.until)
    return trouble(
        check,
        f"Stripe's events of {oldest.namespace.rstrip(':')} were last known to be complete here "
        f"at {oldest.until}, and Stripe shows them for {STRIPE_DAYS} days: what was missed will "
        "soon be beyond reach.",
        "Run onfile catch-up, best once a day; if the thirty days are over, onfile backfill too.",
    )
