"""Which source is the default, and how surely: what the newest customer shows, and since then."""

from collections.abc import Iterable
from typing import NamedTuple

from service.event_types import READ_TYPE
from workers.algebra.facts import NEVER, CustomerFacts
from workers.algebra.order import Attachments
from workers.algebra.seconds import Newest

CONFIRMED, INFERRED, AMBIGUOUS = "confirmed", "inferred", "ambiguous"

NOBODY = ""
"""No default: null."""

_BEFORE_ALL = -1


class Step(NamedTuple):
    """A rule used: the default of a second before, and what may have become of it."""

    second: int
    default: str
    became: frozenset[str]


class Default(NamedTuple):
    """The default source (empty for null), its basis, and what that rests on."""

    source: str
    basis: str
    shown: frozenset[str] = frozenset()
    """What the newest snapshots show; nothing where none shows it."""
    steps: tuple[Step, ...] = ()
    """The rules used since then."""
    possible: frozenset[str] = frozenset()
    """All that it may be."""


def default_source(facts: CustomerFacts, newest: Newest, attachments: Attachments) -> Default:
    """Return the default: shown by the newest customer, then carried through what came after.

    Args:
        facts: the customer's.
        newest: its newest snapshots.
        attachments: its sources.

    """
    shown = _shown(newest)
    if shown is None:
        possible, steps = _carried({NOBODY}, _BEFORE_ALL, attachments, told=False)
        source = _answered(possible, attachments, oldest=True)
        return Default(source, AMBIGUOUS, frozenset(), steps, frozenset(possible))
    began_empty = shown == {NOBODY}
    plain = len(shown) == 1
    if not plain and _any_added_by(newest.second, attachments):
        shown -= {NOBODY}
    told_now = any(s.record.type == "customer.updated" for s in newest.snapshots)
    possible, steps = _carried(shown, newest.second, attachments, told=told_now)
    source = _answered(possible, attachments, oldest=began_empty)
    basis = AMBIGUOUS
    if len(possible) == 1:
        undoubted = facts.told or not _others_since(source, newest, attachments)
        basis = CONFIRMED if plain and not steps and undoubted else INFERRED
    return Default(source, basis, frozenset(shown), steps, frozenset(possible))


def _shown(newest: Newest) -> set[str] | None:
    """Return the defaults that the newest snapshots show; None where none shows the field."""
    return {s.default for s in newest.candidates if s.default is not None} or None


def _any_added_by(second: int, attachments: Attachments) -> bool:
    """Tell whether it had a source for certain: a customer that has one has a default."""
    return any(attachments.times[source].added <= second for source in attachments.alive(by=second))


def _carried(
    possible: set[str], since: int, attachments: Attachments, *, told: bool
) -> tuple[set[str], tuple[Step, ...]]:
    """Carry the possible defaults through every second since, and tell which rules were used.

    An added source becomes the default where there was none; where the default goes, the newest of
    the rest does, or one added in that very second.
    """
    steps: list[Step] = []
    # Mostly there is one and it stays: then nothing that was added or has gone moves it.
    if all(d != NOBODY and attachments.gone.get(d, NEVER) == NEVER for d in possible):
        return possible, ()
    for second in _seconds(since, attachments):
        if not any(d == NOBODY or attachments.gone.get(d, NEVER) <= second for d in possible):
            continue
        alive = attachments.alive(by=second)
        added = {source for source in alive if attachments.times[source].added == second}
        carried: set[str] = set()
        for default in possible:
            if default == NOBODY:
                became = added or {NOBODY}
                if second == since and told:
                    became = became | {NOBODY}
            elif attachments.gone.get(default, NEVER) <= second:
                became = added | _newest_before(second, alive, attachments) or {NOBODY}
            else:
                became = {default}
            if became != {default}:
                steps.append(Step(second, default, frozenset(became)))
            carried |= became
        possible = carried
    return possible, tuple(steps)


def _newest_before(second: int, alive: list[str], attachments: Attachments) -> set[str]:
    times = attachments.times
    rest = [s for s in alive if times[s].added < second or times[s].added == NEVER]
    return set(attachments.surely_newest(rest))


def _seconds(since: int, attachments: Attachments) -> list[int]:
    told = {times.added for times in attachments.times.values()} | set(attachments.gone.values())
    return sorted(second for second in {*told, since} if since <= second < NEVER and second >= 0)


def _others_since(source: str, newest: Newest, attachments: Attachments) -> bool:
    """Tell whether another source has a fact since then: the default may have moved unheard.

    What the very read that shows this default was the first to see, or to miss, was or was not
    there when it was shown.
    """
    read = any(s.record.type == READ_TYPE for s in newest.snapshots)
    since = newest.second + 1 if read else newest.second
    return any(
        newest.second <= times.added < NEVER
        or since <= times.seen < NEVER
        or since <= attachments.gone[other] < NEVER
        for other, times in attachments.times.items()
        if other != source
    )


def _answered(possible: Iterable[str], attachments: Attachments, *, oldest: bool) -> str:
    """Return the one of several to answer: the newest, but the first one where there was none."""
    one, *others = possible
    if not others:
        return one
    order = attachments.newest_first({*possible} & attachments.times.keys()).sources
    if not order:
        return max(possible)
    return order[-1] if oldest else order[0]
