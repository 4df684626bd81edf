"""The doctor's look at RQ's keys: whether the workers may work, and nobody else writes there."""

from collections.abc import Iterable

import redis
from rq.suspension import WORKERS_SUSPENDED

from workers import litter
from workers.operators.finding import Finding, ok, trouble


def queue_finding(client: redis.Redis) -> Finding:
    """Return what can be said of the queue."""
    check = "queue"
    if client.exists(WORKERS_SUSPENDED):
        return trouble(
            check,
            "The workers are suspended, as rq suspend does: they live and take no jobs.",
            'Let them go on: rq resume --url "$REDIS_URL".',
        )
    if wrong := litter.mistyped(client):
        return trouble(
            check,
            f"Somebody else writes to this store: {_listed(wrong)} of RQ's are of another type.",
            "Find out who has its password. A worker lays them aside as soon as it runs, and the "
            "events that are pending are applied: onfile worker.",
        )
    if aside := litter.laid_aside(client):
        return trouble(
            check,
            f"Somebody else writes to this store: the workers found {_listed(aside)} where keys "
            "of RQ's belong, and renamed them so.",
            "Find out who has the store's password; look at what was laid aside (TYPE, DUMP), and "
            "delete it (DEL).",
        )
    return ok(check, "The queue holds what belongs there.")


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys))
