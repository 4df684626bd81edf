"""The rebuild: every answer derived again from the stored facts, after a rule was mended.

Sources come first, since a customer's document keeps each source's answer. A document is written
only where its answer is another, by compare-and-set, so that events go on being applied meanwhile;
run again, a rebuild finds nothing to do.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, TypeAlias

import msgspec

from service.compression import UnreadableError
from service.drop import Drop
from service.keys import CUSTOMER_KEYS, SOURCE_KEYS, subject_of
from service.projection import Projection, Write
from service.stores import Projecting
from workers import doubts
from workers.algebra.facts import CustomerFacts, Facts, SourceFacts
from workers.apply import Told, apply
from workers.draining import ROUND_EVENTS
from workers.operators.desk import Desk
from workers.operators.overlay import Overlay

Phase: TypeAlias = Literal["sources", "customers"]


class Unreadable(msgspec.Struct, frozen=True):
    """A document of which no answer can be derived."""

    document: Phase
    id: str
    account: str
    mode: str
    reason: str
    """The kind of error, in a word."""
    problem: str
    """What is wrong with its bytes or lacks to read them, in a sentence; of other errors nothing,
    since their words may quote what is stored."""


class Rebuilt(msgspec.Struct):
    """How far a rebuild has come."""

    phase: Phase = "sources"
    sources: int = 0
    """Looked at."""
    customers: int = 0
    changed: int = 0
    """Documents that were not what they should be."""
    unreadable: list[Unreadable] = []


def rebuild(desk: Desk) -> Iterator[Rebuilt]:
    """Derive all answers again, and store those that differ; yields after each round."""
    return _rebuild(desk, _Counting(desk.projecting, desk.drop), noting=True)


def check(desk: Desk, overlay: Overlay) -> Iterator[Rebuilt]:
    """Do the same on an overlay, which tells the differences afterwards."""
    return _rebuild(desk, overlay, noting=False)


class _Counting(Projection):
    """The projection, and which documents were committed here."""

    def __init__(self, client: Projecting, drop: Drop) -> None:
        super().__init__(client, drop)
        self.written: set[str] = set()

    def commit(self, writes: Iterable[Write]) -> list[bool]:
        keys: list[str] = []
        committed = super().commit(_noted(writes, keys))
        self.written |= {key for key, ok in zip(keys, committed, strict=True) if ok}
        return committed


def _noted(writes: Iterable[Write], keys: list[str]) -> Iterator[Write]:
    for write in writes:
        keys.append(write.key)
        yield write


def _rebuild(desk: Desk, projection: _Counting | Overlay, *, noting: bool) -> Iterator[Rebuilt]:
    rebuilt = Rebuilt()
    for rebuilt.phase in ("sources", "customers"):
        pattern = SOURCE_KEYS if rebuilt.phase == "sources" else CUSTOMER_KEYS
        for keys in _rounds(desk.projection.keys(pattern)):
            told = [_nothing_about(key, rebuilt.phase) for key in keys]
            effect = apply(projection, told, anew=True)
            if noting:
                doubts.note(desk.log, effect.doubts)
            if rebuilt.phase == "sources":
                rebuilt.sources += len(keys)
            else:
                rebuilt.customers += len(keys)
            rebuilt.changed = len(projection.written)
            rebuilt.unreadable += [
                _unreadable(key, rebuilt.phase, error) for key, error in effect.failed.items()
            ]
            yield rebuilt


def _rounds(keys: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(keys)
    while piece := list(islice(rest, ROUND_EVENTS)):
        yield list(dict.fromkeys(piece))


def _nothing_about(key: str, phase: Phase) -> Told:
    """Return facts that say nothing of a document but that it is to be looked at."""
    namespace, subject = subject_of(key)
    if phase == "sources":
        return Told(key, namespace, Facts(sources={subject: SourceFacts()}))
    return Told(key, namespace, Facts(customers={subject: CustomerFacts()}))


def _unreadable(key: str, phase: Phase, error: Exception) -> Unreadable:
    namespace, subject = subject_of(key)
    return Unreadable(
        document=phase,
        id=subject,
        account=namespace.account,
        mode=namespace.mode,
        reason=type(error).__name__,
        problem=str(error) if isinstance(error, UnreadableError) else "",
    )
