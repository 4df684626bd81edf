"""What one second changed for a customer: sources that came, changed or went, and its default."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from service.event_types import READ_TYPE
from service.timeline import Change, Teller, Through, What
from workers.algebra.default import CONFIRMED, Default
from workers.algebra.facts import NEVER, Facts
from workers.algebra.objects import Json, parsed
from workers.timelines.reasons import Reason

DELETED = Reason("deleted", "the customer is deleted, and deleted stays deleted", [])
FORGOTTEN = Reason("forgotten", "an operator had the customer forgotten", [])

_BY_RULE = frozenset({"first_source", "passed_on", "last_removed", "unheard"})


class Heard(NamedTuple):
    """An entry of the log, read."""

    teller: Teller
    facts: Facts

    @property
    def second(self) -> int:
        """When it happened: the second that its facts are of."""
        told: set[int] = set()
        for source in self.facts.sources.values():
            times = {*msgspec.structs.astuple(source.times)} - {NEVER}
            told |= {*source.snapshots, *source.views, *times}
        for customer in self.facts.customers.values():
            told |= {*customer.snapshots, *customer.lists}
        return max(told, default=self.teller.created)

    def concerns(self, *subjects: str | None) -> bool:
        """Tell whether it says anything of one of these."""
        known = self.facts.sources.keys() | self.facts.customers.keys()
        return not known.isdisjoint(subjects)


class State(NamedTuple):
    """How a customer stood at the end of a second."""

    default: Default
    reason: Reason
    alive: Sequence[str]
    """Its sources, newest first."""
    passing: Sequence[str]
    """Sources that came and went in this very second."""
    bodies: Mapping[str, bytes]

    @property
    def source(self) -> str | None:
        """The default source."""
        return self.default.source or None


def changes(
    second: int, customer: str, before: State | None, now: State, heard: Sequence[Heard]
) -> Iterator[Change]:
    """Yield what a second changed."""
    was = before.alive if before else ()
    found: list[tuple[What, str | None, list[str]]] = []
    if before is None:
        found.append(("customer.first_seen", None, []))
    came = [source for source in reversed(now.alive) if source not in was]
    went = [source for source in was if source not in now.alive]
    found += [("source.added", one, []) for one in (*came, *now.passing)]
    bodies = before.bodies if before else {}
    for one in now.alive:
        if one in bodies and (fields := _differing(bodies[one], now.bodies.get(one))):
            found.append(("source.changed", one, fields))
    found += [("source.removed", one, []) for one in (*went, *now.passing)]
    previous = before.source if before else None
    if previous != now.source:
        found.append(("default.changed", None, []))
    elif before and before.default.basis != now.default.basis:
        found.append(("basis.changed", None, []))
    for number, (what, source, fields) in enumerate(found):
        about = (source,) if source else (customer, previous, now.source)
        tellers = [h for h in heard if h.concerns(*about)] or heard
        speaks = source is None and what == found[-1][0]
        reason = now.reason if speaks else None
        yield Change(
            id=f"change_{second}_{number}",
            type=what,
            created=second,
            source=source,
            fields=fields,
            default_source=now.source,
            previous_default_source=previous,
            basis=now.default.basis,
            through=_through(tellers, reason),
            rule=reason.rule if reason else None,
            why=reason.why if reason else None,
            between=reason.between if reason else [],
            events=_tellers(tellers),
        )


def ended(
    reason: Reason, second: int, customer: str, before: State | None, heard: Sequence[Heard]
) -> Change:
    """Return the end of a timeline: deleted by Stripe's word, or forgotten by an operator's."""
    tellers = [h for h in heard if h.concerns(customer)]
    return Change(
        id=f"change_{second}_0",
        type="customer.forgotten" if reason is FORGOTTEN else "customer.deleted",
        created=second,
        default_source=None,
        previous_default_source=before.source if before else None,
        basis=CONFIRMED,
        through="operator" if reason is FORGOTTEN else _through(tellers, None),
        rule=reason.rule,
        why=reason.why,
        events=_tellers(tellers),
    )


def _through(tellers: Sequence[Heard], reason: Reason | None) -> Through:
    if reason and reason.rule in _BY_RULE:
        return "rule"
    if not tellers:
        return "unknown"
    return "read" if all(h.teller.type == READ_TYPE for h in tellers) else "event"


def _tellers(heard: Iterable[Heard]) -> list[Teller]:
    return sorted((h.teller for h in heard), key=lambda teller: (teller.received, teller.id))


def _differing(before: bytes, now: bytes | None) -> list[str]:
    """Return where two bodies differ; nowhere when one of them is not known."""
    return sorted(_paths(parsed(before), parsed(now), "")) if now and now != before else []


def _paths(before: Json, now: Json, path: str) -> Iterator[str]:
    """Yield where two values differ, as dotted paths."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in before.keys() | now.keys():
            inner = f"{path}.{name}" if path else name
            yield from _paths(before.get(name), now.get(name), inner)
    elif before != now:
        yield path
