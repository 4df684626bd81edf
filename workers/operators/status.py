"""How it stands: what was accepted and what became of it, who works, how the stores are."""

import time

import msgspec
import redis

from service.doorbell import QUEUE_KEY
from service.keys import COUNTERS, HALT, REPLAY_HALT
from service.log import replay_queue
from service.log.backlog import Backlog, backlog
from service.watch.secret_use import WebhookSecret, webhook_secrets
from workers import doubts, halting
from workers.operators.caught_up import Gap, gaps
from workers.operators.desk import Desk
from workers.operators.encryption import Encryption, encryption
from workers.operators.moments import iso
from workers.operators.store_state import StoreState, store_states
from workers.operators.workforce import Worker, workers

OUTCOMES = ("applied", "unchanged", "ignored", "failed")


class Halted(msgspec.Struct, frozen=True):
    """The workers take no events, since nearly all of them fail."""

    reason: str
    failed: int
    tried: int
    since: str
    probe_in_seconds: float
    """When a few are tried again; 0 for as soon as a worker comes to it."""


class Replaying(msgspec.Struct, frozen=True):
    """Events that are applied again because an operator wants it."""

    left: int
    """Queued and not applied again yet."""
    halted: Halted | None
    """Why the replay pauses: nearly all of it fails; new events are applied all the same."""
    outcomes: dict[str, int]
    """What became of all that were ever replayed: applied, unchanged, ignored, failed."""


class SecretInUse(msgspec.Struct, frozen=True):
    """A webhook secret, and when it was of use (see WebhookSecret); None for never."""

    fingerprint: str
    position: int
    configured: bool
    matched: str | None
    needed: str | None


class Status(msgspec.Struct, frozen=True):
    """All of it; accepted = applied + pending + retrying + failed + discarded at every instant."""

    at: str
    accepted: int
    """Events that ever came into the log."""
    applied: int
    """Events whose facts are in the answers, or that had none."""
    pending: int
    """Events that no worker has finished with."""
    retrying: int
    """Events that failed and are tried again by themselves."""
    failed: int
    """Events that failed for good: the dead letters."""
    discarded: int
    """Dead letters that an operator has given up."""
    oldest_pending_seconds: float | None
    sampled_seconds: float
    in_per_second: float | None
    """Accepted while this was sampled; None when it was not."""
    out_per_second: float | None
    """Applied while this was sampled."""
    duplicates: int
    """Deliveries of what the log had already."""
    outcomes: dict[str, int]
    """What became of every attempt to apply an event, repetitions included."""
    halted: Halted | None
    replaying: Replaying
    workers: list[Worker]
    jobs_waiting: int
    stores: list[StoreState]
    ambiguous: doubts.Doubts
    webhook_secrets: list[SecretInUse]
    caught_up: list[Gap]
    """Of each namespace that was ever caught up with Stripe's events."""
    encryption: Encryption


def status(desk: Desk, *, sample_seconds: float = 1.0) -> Status:
    """Return how it stands; the rates are those of the time that this takes to sample them."""
    now = before = backlog(desk.log)
    if sample_seconds:
        time.sleep(sample_seconds)
        now = backlog(desk.log)
    counted = msgspec.convert(desk.log.hgetall(COUNTERS), dict[bytes, bytes])
    counters = {name.decode(): int(number) for name, number in counted.items()}
    return Status(
        at=iso(now.at_ms / 1000),
        accepted=now.accepted,
        applied=now.applied,
        pending=now.pending,
        retrying=now.retrying,
        failed=now.failed,
        discarded=now.discarded,
        oldest_pending_seconds=None if now.oldest_ms is None else now.oldest_ms / 1000,
        sampled_seconds=sample_seconds,
        in_per_second=_rate(before, now, before.accepted, now.accepted),
        out_per_second=_rate(before, now, before.applied, now.applied),
        duplicates=counters.get("duplicate", 0),
        outcomes={outcome: counters.get(outcome, 0) for outcome in OUTCOMES},
        halted=halted(desk.log),
        replaying=replaying(desk.log),
        workers=workers(desk.log),
        jobs_waiting=jobs_waiting(desk.log),
        stores=store_states(desk),
        ambiguous=doubts.count(desk.log),
        webhook_secrets=[_in_use(secret) for secret in webhook_secrets(desk.log)],
        caught_up=gaps(desk.log),
        encryption=encryption(desk),
    )


def _in_use(secret: WebhookSecret) -> SecretInUse:
    return SecretInUse(
        fingerprint=secret.fingerprint,
        position=secret.position,
        configured=secret.configured,
        matched=None if secret.matched is None else iso(secret.matched),
        needed=None if secret.needed is None else iso(secret.needed),
    )


def jobs_waiting(client: redis.Redis) -> int:
    """Return how many jobs wait; none where something else lies, as onfile doctor says then."""
    try:
        return msgspec.convert(client.llen(QUEUE_KEY), int)
    except redis.ResponseError:
        return 0


def replaying(client: redis.Redis) -> Replaying:
    """Return how it stands with replays."""
    return Replaying(
        left=replay_queue.waiting(client),
        halted=halted(client, REPLAY_HALT),
        outcomes=replay_queue.replayed(client),
    )


def halted(client: redis.Redis, key: str = HALT) -> Halted | None:
    """Return why the workers take no events; None when they do."""
    halt = halting.current(client, key)
    if halt is None:
        return None
    return Halted(
        reason=halt.reason,
        failed=halt.failed,
        tried=halt.tried,
        since=iso(halt.since),
        probe_in_seconds=round(halting.pause_seconds(halt), 1),
    )


def _rate(before: Backlog, now: Backlog, first: int, last: int) -> float | None:
    seconds = (now.at_ms - before.at_ms) / 1000
    return round(max(0, last - first) / seconds, 1) if seconds > 0 else None
