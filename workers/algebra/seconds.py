"""How one second ended, and so which snapshot of an object is the newest.

Stripe's clock counts whole seconds, and events of one second arrive in any order. What they say of
each other decides: each `previous_attributes` is an arrow from the values before to those after,
and the arrows of one object form one walk. Where a walk ends is a matter of counting.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from workers.algebra.facts import FINAL, FIRST, USUAL, Group, Record
from workers.algebra.merge import KEPT_RECORDS
from workers.algebra.snapshots import Node, Path, Snapshot, node


class Newest(NamedTuple):
    """The snapshots that may be the newest, the one to serve first, and whether events decide."""

    candidates: Sequence[Snapshot]
    decided: bool
    second: int
    """The greatest second; -1 where there is no snapshot at all."""
    snapshots: Sequence[Snapshot]
    """All of the greatest second."""

    @property
    def record(self) -> Record | None:
        """The record to serve; None where there is no snapshot at all."""
        return self.candidates[0].record if self.candidates else None

    @property
    def event(self) -> str:
        """The id of the event that told it; empty where there is none."""
        return self.candidates[0].record.event if self.candidates else ""


class _Arrow(NamedTuple):
    """One change. Two events of one request that tell the same are of one change, told twice."""

    request: str
    before: Node
    after: Node


_NO_SNAPSHOT = Newest((), decided=True, second=-1, snapshots=())


def newest(group: Group, *, silent: bool = False) -> Newest:
    """Return the newest snapshot of a group.

    One change may be told twice, and the second time in the second after: it counts where it was
    told first.

    Args:
        group: the records of one object by second.
        silent: the object changes without events too (a Source does), so that where the second
            before ended does not tell where this one began.

    """
    found = _NO_SNAPSHOT
    before: Sequence[Snapshot] = ()
    for second, records in sorted(group.items()):
        snapshots = _fullest([Snapshot(record) for record in records.values()])
        news = [s for s in snapshots if not any(map(s.retells, before))] if before else snapshots
        if news:
            found = _end(news, found.candidates, second, silent=silent)
        if len(records) >= KEPT_RECORDS:
            found = found._replace(decided=False)
        before = snapshots
    return found


def _fullest(snapshots: list[Snapshot]) -> list[Snapshot]:
    """Leave out what was told in full as well: the same event, of which fields were dropped."""
    if len(snapshots) == 1 or len({s.rendering for s in snapshots}) == len(snapshots):
        return snapshots
    return [
        s
        for s in snapshots
        if not any(s.rendering == other.rendering and s.is_part_of(other) for other in snapshots)
    ]


def _end(
    snapshots: Sequence[Snapshot], before: Sequence[Snapshot], second: int, *, silent: bool
) -> Newest:
    if len(snapshots) == 1:
        return Newest(snapshots, decided=True, second=second, snapshots=snapshots)
    final = [snapshot for snapshot in snapshots if snapshot.record.phase == FINAL]
    walk = _Walk(final or snapshots, before, silent=silent)
    speakers = _distinct(
        speaker
        for end in walk.ends()
        for speaker in _speakers([s for s in walk.snapshots if walk.at(s) == end], walk)
    )
    return Newest(
        sorted(speakers, key=lambda s: (walk.at(s) not in walk.start, s.text, s.record.object)),
        decided=len(speakers) == 1,
        second=second,
        snapshots=snapshots,
    )


class _Walk:
    """The arrows of one second, told by the values at the paths that changed in it.

    Everything outside these paths may have changed silently and says nothing about the order.
    """

    def __init__(
        self, snapshots: Sequence[Snapshot], before: Sequence[Snapshot], *, silent: bool
    ) -> None:
        self.snapshots = snapshots
        self.silent = silent
        self.paths: list[Path] = sorted({path for s in snapshots for path in s.paths()})
        self._nodes = {id(s): node(s.object, self.paths) for s in snapshots}
        arrows = {arrow for s in snapshots if (arrow := self._arrow(s))}
        self._leaving = Counter(arrow.before for arrow in arrows)
        self._entering = Counter(arrow.after for arrow in arrows)
        self.on_walk = self._leaving.keys() | self._entering.keys()
        first = {self.at(s) for s in snapshots if s.record.phase <= FIRST}
        self.start = first or {node(s.object, self.paths) for s in before}
        """Where the second is known to have begun."""

    def at(self, snapshot: Snapshot) -> Node:
        """Return where a snapshot stands."""
        return self._nodes[id(snapshot)] if self.on_walk else ()

    def moved(self, snapshot: Snapshot) -> bool:
        """Tell whether a snapshot says what it changed."""
        return self._arrow(snapshot) is not None

    def ends(self) -> set[Node]:
        """Return the nodes at which the second may have ended; where it is decided, one."""
        if not self.on_walk:
            return {()}
        return self._ends_of_arrows() | {
            self.at(s)
            for s in self.snapshots
            if s.record.phase == USUAL and not self.moved(s) and self.at(s) not in self.on_walk
        }

    def _ends_of_arrows(self) -> set[Node]:
        balance = {n: self._entering[n] - self._leaving[n] for n in self.on_walk}
        plus = {n for n, excess in balance.items() if excess > 0}
        minus = {n for n, excess in balance.items() if excess < 0}
        known = set() if self.silent else self.start
        if not plus:
            began = known & self.on_walk
            return began if len(began) == 1 else set(self.on_walk)
        if len(plus) == 1 and (not known or known & minus):
            return plus
        return plus | (known & set(self._nodes.values()))

    def _arrow(self, snapshot: Snapshot) -> _Arrow | None:
        if snapshot.previous is None or snapshot.record.phase == FINAL:
            return None
        before = node(snapshot.undone, self.paths)
        after = self._nodes[id(snapshot)]
        if before == after:
            return None
        return _Arrow(snapshot.record.request, before, after)


def _speakers(snapshots: Sequence[Snapshot], walk: _Walk) -> Iterable[Snapshot]:
    """Return who speaks for a node: the greatest phase; after an arrow, who tells no arrow."""
    greatest = max(s.rank for s in snapshots)
    spoken = [s for s in snapshots if s.rank == greatest]
    if greatest[0] == USUAL and any(walk.moved(s) for s in spoken):
        spoken = [s for s in spoken if s.previous is None] or spoken
    renderings: dict[str, str] = {}
    for s in spoken:
        version = renderings.get(s.record.event, "")
        renderings[s.record.event] = max(version, s.record.api_version)
    return [s for s in spoken if s.record.api_version == renderings[s.record.event]]


def _distinct(snapshots: Iterable[Snapshot]) -> Sequence[Snapshot]:
    """Return one snapshot a body: the one told by the least event."""
    bodies: dict[bytes, Snapshot] = {}
    for snapshot in snapshots:
        other = bodies.setdefault(snapshot.text, snapshot)
        bodies[snapshot.text] = min(other, snapshot, key=_told_by)
    return list(bodies.values())


def _told_by(snapshot: Snapshot) -> tuple[str, str, bytes]:
    return snapshot.record.event, snapshot.record.api_version, snapshot.record.object
