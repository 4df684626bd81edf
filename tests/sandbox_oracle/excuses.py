"""Every difference that events cannot show, by name, with its reason. Nothing else is excused.

An excuse says of one object (a source, a customer, or a customer's list) which state of it Onfile
may take for the true one; that an answer calls itself ambiguous excuses nothing by itself. `judge`
applies them.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import NamedTuple

from service.sandbox.errors import Json
from tests.sandbox_oracle.history import SHOWN_BY_VIEW, History, Telling, at, with_shared
from workers.algebra.merge import KEPT_RECORDS


class Case(NamedTuple):
    """An object of which Onfile answers something else than the truth."""

    history: History
    name: str
    truth: Json
    found: Json | None
    """None: not there."""
    ambiguous: frozenset[str]
    """What Onfile says of its own answer."""

    def tellings(self, *, before: int = 0) -> Sequence[Telling]:
        """Return what was told of it in the newest second, or in one told of before that."""
        told = self.history.tellings.get(self.name, [])
        seconds = sorted({telling.second for telling in told}, reverse=True)[before : before + 1]
        return [telling for telling in told if telling.second in seconds]


class Excuse(NamedTuple):
    """One thing that events cannot show."""

    name: str
    reason: str
    covers: Callable[[Case], bool]
    must_say: frozenset[str] = frozenset()
    """Onfile must say that one of these is ambiguous; empty: it cannot know of it."""


SILENT_UPDATE = "silent Source update"
MONEY_RECEIVED = "money received"
NEVER_TOLD = "Source that no event told of"


def _only_untold(silence: str) -> Callable[[Case], bool]:
    """Cover the told state, where a silence of this kind followed."""

    def covers(case: Case) -> bool:
        silences = case.history.silences.get(case.name, ())
        return any(silence == each.name for each in silences) and _is_as_told(case)

    return covers


def _never_told(case: Case) -> bool:
    """Cover that an object is not there of which no event has told."""
    return case.found is None and not case.tellings()


def _silence_between(case: Case) -> bool:
    """Cover what was told in the newest second, if a silent update was in that second too."""
    newest = case.tellings()
    silent = case.history.silent_seconds.get(case.name, set())
    return any(telling.second in silent for telling in newest) and _is_told_in(newest, case)


def _closed_walk(case: Case) -> bool:
    """Cover what was told in the newest second, if that second ended where it began."""
    return _is_closed(case.tellings()) and _is_told_in(case.tellings(), case)


def _closed_walks(case: Case) -> bool:
    """Cover what was told in the newest second, if it and the one before ended as they began."""
    return _is_closed(case.tellings(before=1)) and _closed_walk(case)


def _not_said(case: Case) -> bool:
    """Cover what was told in the newest second, if two of its events do not say their place."""
    newest = case.tellings()
    mute = [each for each in newest if not (each.says_what_changed or each.says_its_place)]
    return len(mute) > 1 and _is_told_in(newest, case)


def _full_second(case: Case) -> bool:
    """Cover what was told in the newest second, if it is more than is kept of one."""
    newest = case.tellings()
    return len(newest) >= KEPT_RECORDS and _is_told_in(newest, case)


def _null_address(case: Case) -> bool:
    """Cover the told state but for its owner's address, if both are without anything in it."""
    told = case.history.told.get(case.name)
    if told is None or case.found is None or told["object"] != "source":
        return False
    viewed = any(telling.by_view for telling in case.history.tellings[case.name])
    return viewed and _without_null_address(case.found) == _without_null_address(told)


def _same_second(case: Case) -> bool:
    """Cover another order of a customer's sources, if only those of one second changed places."""
    added = case.history.added
    true, found = ([each["id"] for each in side["data"]] for side in (case.truth, case.found or {}))
    return sorted(true) == sorted(found) and [added[s] for s in true] == [added[s] for s in found]


CLOSED_WALKS = Excuse(
    "changes in two seconds running that take each other back",
    "Two seconds are kept. Where the last one began is told by the one before it, and where that "
    "one began is forgotten.",
    _closed_walks,
    frozenset({"object", "default"}),
)

FULL_SECOND = Excuse(
    "more events of one object in one second than are kept",
    f"Of one second {KEPT_RECORDS} records are kept, so that no burst makes a document grow "
    "without end, and which of them are kept has nothing to do with their order.",
    _full_second,
    frozenset({"object", "default"}),
)

OF_SOURCES = (
    Excuse(
        SILENT_UPDATE,
        "POST /v1/sources/:id sends no event at all; only reading Stripe again shows it.",
        _only_untold(SILENT_UPDATE),
    ),
    Excuse(
        MONEY_RECEIVED,
        "source.transaction.created names its Source and does not show it, nor what it has "
        "received by now.",
        _only_untold(MONEY_RECEIVED),
    ),
    Excuse(
        NEVER_TOLD,
        "A Source that begins as pending and is nobody's has had no event yet.",
        _never_told,
    ),
    Excuse(
        "address without anything in it",
        "A PaymentMethod shows an address of nulls, whether its Source's owner has one or none.",
        _null_address,
    ),
    Excuse(
        "silent Source update between two events of one second",
        "The events of one second are ordered by what each says it changed; a change in between "
        "that nobody tells takes a link out of that chain, or makes it fit the other way round.",
        _silence_between,
    ),
    Excuse(
        "changes of a Source in one second that take each other back",
        "Where such a second ended can be told only from where it began, and of a Source that is "
        "not known: it may have been updated silently before.",
        lambda case: case.name.startswith("src_") and _closed_walk(case),
        frozenset({"object"}),
    ),
    CLOSED_WALKS,
    FULL_SECOND,
    Excuse(
        "two events of one second that do not say what changed",
        "Edits of a bank account and what happens to a Source by itself have no "
        "previous_attributes, and a second has no order of its own.",
        _not_said,
        frozenset({"object"}),
    ),
)

OF_CUSTOMERS = (CLOSED_WALKS, FULL_SECOND)

SAME_SECOND = Excuse(
    "sources added in one second",
    "Events carry whole seconds and ids tell no order: which of the sources added in one second "
    "came last is not told, unless one of them was the customer's first.",
    _same_second,
    frozenset({"order"}),
)

OF_LISTS = (SAME_SECOND,)


def excuse_for(case: Case, excuses: Iterable[Excuse]) -> Excuse | None:
    """Return the excuse that covers what was found, if one does."""
    for excuse in excuses:
        said = not excuse.must_say or excuse.must_say & case.ambiguous
        if said and excuse.covers(case):
            return excuse
    return None


def _is_closed(tellings: Sequence[Telling]) -> bool:
    """Tell whether what one second's events say they changed is in the end as it was before.

    Where some of them are of the second view, it is enough that what they do not show is: that
    is what then remains to tell the others' order.
    """
    walk = [telling for telling in tellings if telling.says_what_changed]
    paths = {path for telling in walk for path in telling.moved}
    if not paths:
        return False
    shared = SHOWN_BY_VIEW.get(walk[-1].state["object"], ())
    unshared = {path for path in paths if not any(path[: len(top)] == top for top in shared)}
    viewed = any(telling.by_view for telling in walk)
    return any(
        chosen and all(at(walk[0].before, path) == at(walk[-1].state, path) for path in chosen)
        for chosen in (paths, unshared if viewed else set())
    )


def _is_as_told(case: Case) -> bool:
    told = case.history.told.get(case.name)
    return told is not None and case.found == told


def _is_told_in(tellings: Sequence[Telling], case: Case) -> bool:
    """Tell whether these events showed this state: itself, or in two parts that two of them show.

    The second view shows but a part of a source.
    """
    states = [telling.state for telling in tellings]
    return any(case.found == with_shared(one, other) for one, other in product(states, states))


def _without_null_address(source: Json) -> Json:
    address = source["owner"]["address"]
    if address and not any(address.values()):
        return source | {"owner": source["owner"] | {"address": None}}
    return source
