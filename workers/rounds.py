"""One round: some entries of the log, read, handled, applied; the failed ones told apart."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from service.drop import Drop
from service.event import Event, Unprojected
from service.keys import Subject
from service.log.entry import Entry
from service.projection import Projection
from workers.algebra.facts import CustomerFacts, Facts, SourceFacts
from workers.apply import Told, apply
from workers.effect import Doubt
from workers.handlers import facts_of
from workers.time_limit import TookTooLongError, at_most

HANDLING_SECONDS = 2.0
"""All handlers of a round together take some tens of milliseconds."""


class NoFactsError(Exception):
    """A handler returned something else than facts."""


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
    left: Sequence[Entry] = ()
    """Entries that were not looked at: the one before them took too long."""


class _Handled(NamedTuple):
    """What the handlers made of some entries."""

    told: list[Told]
    created: dict[str, int]
    failed: dict[str, Exception]
    ignored: list[str]


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
        MemoryError: nothing that this process does can be trusted any more.

    """
    handled = _Handled([], {}, {}, [])
    looked_at = 0
    try:
        with at_most(HANDLING_SECONDS):
            for looked_at, entry in enumerate(entries, 1):  # noqa: B007 (where it hangs)
                _handle(entry, forgotten.get(entry.entry_id, ()), handled, projection.drop)
    except TookTooLongError as error:
        handled.failed[entries[looked_at - 1].entry_id] = error
    effect = apply(projection, handled.told)
    failed = handled.failed | effect.failed
    applied = len(effect.changed - failed.keys())
    outcomes = Counter(applied=applied, failed=len(failed), ignored=len(handled.ignored))
    outcomes["unchanged"] = looked_at - outcomes.total()
    return Round(
        outcomes=outcomes,
        failed=failed,
        doubts=effect.doubts,
        told=effect.told,
        forgotten=(effect.forgotten | forgotten.keys()) - failed.keys(),
        entombed=set(effect.entombed),
        meters=effect.meters,
        created=handled.created,
        left=entries[looked_at:],
    )


def _handle(entry: Entry, forgotten: Collection[str], handled: _Handled, drop: Drop) -> None:
    try:
        facts, created = _read(entry, forgotten, drop)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this event's alone
        handled.failed[entry.entry_id] = error
        return
    if created is not None:
        handled.created[entry.entry_id] = created
    if facts:
        handled.told.append(Told(entry.entry_id, entry.namespace, facts))
    else:
        handled.ignored.append(entry.entry_id)


def _read(entry: Entry, forgotten: Collection[str], drop: Drop) -> tuple[Facts, int | None]:
    """Return what an entry tells, and Stripe's `created` of it."""
    facts, created = Facts(), None
    try:
        event = entry.read(drop)
        if not isinstance(event, Unprojected):
            facts, created = _facts_of(event), event.created
    except Exception:
        if not forgotten:
            raise
        facts = Facts()
    return (_without(forgotten, facts, entry) if forgotten else facts), created


def _facts_of(event: Event) -> Facts:
    facts = facts_of(event)
    if not isinstance(facts, Facts):
        raise NoFactsError(f"its handler returned a {type(facts).__name__}")
    return facts


def _without(forgotten: Collection[str], facts: Facts, entry: Entry) -> Facts:
    """Return what is told, but of the forgotten only that they are."""
    since = entry.received_ms // 1000
    customers = {entry.customer, *facts.customers} & set(forgotten)
    sources = facts.sources.keys() & set(forgotten)
    return Facts(
        sources=facts.sources | dict.fromkeys(sources, SourceFacts(forgotten=since)),
        customers=facts.customers | dict.fromkeys(customers, CustomerFacts(forgotten=since)),
    )
