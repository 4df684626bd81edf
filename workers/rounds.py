"""One round: some entries of the log, read, handled, applied; the failed ones told apart."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from service.entry import Entry
from service.event import LOGGED_TYPES, Unprojected, read_event
from service.projection import Projection
from workers.apply import Doubt, Subject, Told, apply
from workers.facts import CustomerFacts, Facts, SourceFacts
from workers.handlers import facts_of


class Round(NamedTuple):
    """What became of some entries."""

    outcomes: Counter[str]
    """applied, unchanged, ignored, failed: how many of each."""
    failed: dict[str, Exception]
    """Entry id -> what stopped it."""
    doubts: dict[Subject, Doubt]
    """What is ambiguous in the answers of the customers they tell of."""
    told: dict[Subject, set[str]]
    """Which of them told of which customer."""
    forgotten: set[str]
    """Those that told of somebody forgotten: they are to be erased."""
    entombed: set[Subject]
    """Sources that turned out to be somebody forgotten's."""
    meters: Counter[str]
    """What applying them adds to /metrics."""
    created: dict[str, int]
    """Entry id -> Stripe's `created`, of those that could be read."""


def run(
    projection: Projection,
    entries: Sequence[Entry],
    forgotten: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Round:
    """Apply these entries, together; one that fails does not hold up the others.

    Args:
        projection: where to.
        entries: of the log.
        forgotten: by entry the ids in it that are known to be of somebody forgotten.

    Raises:
        redis.RedisError: the store of the projection is away, and nothing is known to be applied.

    """
    failed: dict[str, Exception] = {}
    told: list[Told] = []
    created: dict[str, int] = {}
    outcomes: Counter[str] = Counter()
    for entry in entries:
        try:
            facts, created_at = _read(entry, forgotten.get(entry.entry_id, ()))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this event's alone
            failed[entry.entry_id] = error
        else:
            if created_at is not None:
                created[entry.entry_id] = created_at
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
    return Round(
        outcomes=outcomes,
        failed=failed,
        doubts=effect.doubts,
        told=effect.told,
        forgotten=(effect.forgotten | forgotten.keys()) - failed.keys(),
        entombed=set(effect.entombed),
        meters=effect.meters,
        created=created,
    )


def _read(entry: Entry, forgotten: Collection[str]) -> tuple[Facts, int | None]:
    """Return what an entry tells, and Stripe's `created` of it."""
    facts, created = Facts(), None
    try:
        event = read_event(entry.body, projected=LOGGED_TYPES)
        if not isinstance(event, Unprojected):
            facts, created = facts_of(event), event.created
    except Exception:
        if not forgotten:
            raise
    return (_without(forgotten, facts, entry) if forgotten else facts), created


def _without(forgotten: Collection[str], facts: Facts, entry: Entry) -> Facts:
    """Return what is told, but of the forgotten only that they are."""
    since = entry.received_ms // 1000
    customers = {entry.customer, *facts.customers} & set(forgotten)
    sources = facts.sources.keys() & set(forgotten)
    return Facts(
        sources=facts.sources | dict.fromkeys(sources, SourceFacts(forgotten=since)),
        customers=facts.customers | dict.fromkeys(customers, CustomerFacts(forgotten=since)),
    )
