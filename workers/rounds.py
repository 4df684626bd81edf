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
    left: Sequence[Entry] = ()
    """Entries that were not looked at: the one before them took too long."""


def run(projection: Projection, entries: Sequence[Entry]) -> Round:
    """Apply these entries, together; one that fails does not hold up the others.

    Raises:
        redis.RedisError: the store of the projection is away, and nothing is known to be applied.
        MemoryError: nothing that this process does can be trusted any more.

    """
    failed: dict[str, Exception] = {}
    told: list[Told] = []
    outcomes: Counter[str] = Counter()
    looked_at = 0
    try:
        with at_most(HANDLING_SECONDS):
            for looked_at, entry in enumerate(entries, 1):  # noqa: B007 (where it hangs)
                _handle(entry, told, failed, outcomes)
    except TookTooLongError as error:
        failed[entries[looked_at - 1].entry_id] = error
    done, left = entries[:looked_at], entries[looked_at:]
    effect = apply(projection, told)
    failed.update(effect.failed)
    applied = len(effect.changed - failed.keys())
    outcomes["applied"] += applied
    outcomes["failed"] += len(failed)
    outcomes["unchanged"] += len(done) - outcomes["ignored"] - applied - len(failed)
    return Round(outcomes, failed, effect.doubts, left)


def _handle(
    entry: Entry, told: list[Told], failed: dict[str, Exception], outcomes: Counter[str]
) -> None:
    try:
        facts = _facts(entry)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this event's alone
        failed[entry.entry_id] = error
    else:
        if facts:
            told.append(Told(entry.entry_id, entry.namespace, facts))
        else:
            outcomes["ignored"] += 1


def _facts(entry: Entry) -> Facts:
    event = read_event(entry.body)
    facts = Facts() if isinstance(event, Unprojected) else facts_of(event)
    if not isinstance(facts, Facts):
        raise NoFactsError(f"its handler returned a {type(facts).__name__}")
    return facts
