"""Until when Stripe's events are known to be here, and how far a run that adds more has come."""

import time
from typing import Any

import msgspec
import redis

from service.keys import CATCH_UPS, Namespace
from workers.operators.moments import iso

KEPT_SECONDS = 30 * 24 * 3600
"""Stripe shows events for thirty days."""

ALARM_SECONDS = 25 * 24 * 3600
"""So many days without a catch-up, and it is high time for one."""


class Position(msgspec.Struct, frozen=True):
    """How far catching up has come in one namespace."""

    until: float = 0.0
    """All that Stripe told by this moment is in the log; unix seconds, 0 for never."""
    since: float = 0.0
    """Where the run under way begins; 0 when none is."""
    began: float = 0.0
    """When the run under way began, by Stripe's clock: what it will be good until."""
    types: int = 0
    """Which pass is under way."""
    after: str = ""
    """The last event of the pages done in this pass."""
    connects: bool = True
    """Whether the run begins where the last one was good until; else it leaves a gap between."""


class Gap(msgspec.Struct, frozen=True):
    """How long ago Stripe's events were last known to be complete here."""

    namespace: str
    until: str
    seconds: float
    alarming: bool
    """So long ago that Stripe will soon not show, or no longer shows, what was missed."""


def position(log: redis.Redis, namespace: Namespace) -> Position:
    """Return where catching up stands."""
    kept: Any = log.hget(CATCH_UPS, namespace.text)
    return msgspec.json.decode(kept, type=Position) if kept else Position()


def gaps(log: redis.Redis) -> list[Gap]:
    """Return how old the last good moment of each namespace is, of those that have one."""
    kept: Any = log.hgetall(CATCH_UPS)
    found = []
    for name, value in sorted(kept.items()):
        until = msgspec.json.decode(value, type=Position).until
        if until:
            age = max(0.0, time.time() - until)
            found.append(Gap(name.decode(), iso(until), round(age, 1), age > ALARM_SECONDS))
    return found


def is_beyond_reach(where: Position, now: float) -> bool:
    """Tell whether something may have been missed that Stripe no longer shows."""
    return bool(where.until) and where.until < now - KEPT_SECONDS


def keep(log: redis.Redis, namespace: Namespace, where: Position) -> None:
    """Keep where catching up stands."""
    log.hset(CATCH_UPS, namespace.text, msgspec.json.encode(where))
