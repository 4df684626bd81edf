"""One round: some entries of the log, read, handled, applied; the failed ones told apart."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from service.entry import Entry
from service.event import Unprojected, read_event
from service.projection import Projection
from workers.apply import Doubt, Subject, Told, apply
from workers.facts import Facts
from workers.handlers import facts_of


class Round(NamedTuple):
    """What became of some entries."""

    outcomes: Counter[str]
    """applied, unchanged, ignored, failed: how many of each."""
    failed: dict[str, Exception]
    """Entry id -> what stopped it."""
    doubts: dict[Subject, Doubt]
    """What is ambiguous in the answers of the customers they tell of."""
    meters: Counter[str]
    """What applying them adds to /metrics."""
    created: dict[str, int]
    """Entry id -> Stripe's `created`, of those that could be read."""


def run(projection: Projection, entries: Sequence[Entry]) -> Round:
    """Apply these entries, together; one that fails does not hold up the others.

    Raises:
        redis.RedisError: the store of the projection is away, and nothing is known to be applied.

    """
    failed: dict[str, Exception] = {}
    told: list[Told] = []
    created: dict[str, int] = {}
    outcomes: Counter[str] = Counter()
    for entry in entries:
        try:
            event = read_event(entry.body)
            facts = Facts() if isinstance(event, Unprojected) else facts_of(event)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this event's alone
            failed[entry.entry_id] = error
        else:
            if not isinstance(event, Unprojected):
                created[entry.entry_id] = event.created
            if facts:
                told.append(Told(entry.entry_id, entry.namespace, facts))
            else:
                outcomes["ignored"] += 1
    effect = apply(projection, told)
    failed.update(effect.failed)
    applied = len(effect.changed - failed.keys())
    outcomes["applied"] += applied
    outcomes["failed"] += len(failed)
    outcomes["unchanged"] += len(entries) - outcomes["ignored"] - applied - len(failed)
    return Round(outcomes, failed, effect.doubts, effect.meters, created)
