"""Retell a customer's life: its events folded second by second, and what each second changed.

Stripe's order counts, not that of arrival, and what is known today counts for every second: so a
timeline is a function of the events, like every answer, and its end is the present one. Where older
events have left the log, the document's own facts say when sources came and went.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from service.documents import CustomerAnswer
from service.keys import Namespace
from service.timeline import Change, Teller, Through, Timeline, What
from workers.default import CONFIRMED, Default, default_source
from workers.derive import derive_customer, own
from workers.facts import NEVER, CustomerFacts, Facts
from workers.fold import Fold
from workers.merge import merge_customers
from workers.objects import Json, parsed
from workers.order import Attachments
from workers.past import seconds_of, until
from workers.reasons import Reason, reason_of
from workers.seconds import newest

READ = "onfile.read"
"""The type of an entry that a reading of Stripe made."""

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


class _State(NamedTuple):
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
        return self.default.source or None


def retell(
    namespace: Namespace,
    customer: str,
    stored: tuple[CustomerFacts, CustomerAnswer],
    heard: Iterable[Heard],
) -> Timeline:
    """Return the timeline of a customer.

    Args:
        namespace: the customer's.
        customer: its id.
        stored: its document: facts and answer.
        heard: the entries of the log that told of it, in any order.

    """
    document, answer = stored
    by_second: defaultdict[int, list[Heard]] = defaultdict(list)
    for one in heard:
        by_second[one.second].append(one)
    fold, before, deleted = Fold(), None, False
    changes: list[Change] = []
    for second in sorted({*by_second, *seconds_of(document)}):
        fold.apply(one.facts for one in by_second[second])
        if deleted:
            continue  # what is told of it later changes nothing
        facts = _known(second, customer, document, fold)
        if deleted := facts.deleted:
            changes.append(_deletion(second, customer, before, by_second[second]))
        else:
            now = _state(second, facts, fold)
            changes += _changes(second, customer, before, now, by_second[second])
            before = now
    told = fold.customers.get(customer, CustomerFacts())
    reason = before.reason if before and not deleted else _DELETED
    return Timeline(
        customer=customer,
        account=namespace.account,
        mode=namespace.mode,
        deleted=answer.deleted,
        default_source=answer.default or None,
        basis=answer.basis,
        rule=reason.rule,
        why=reason.why,
        between=reason.between,
        whole=derive_customer(namespace, customer, told) == answer,
        agrees=derive_customer(namespace, customer, document) == answer,
        changes=changes,
    )


def _known(second: int, customer: str, document: CustomerFacts, fold: Fold) -> CustomerFacts:
    told = fold.customers.get(customer, CustomerFacts())
    return own(customer, merge_customers(until(second, document), told))


def _state(second: int, facts: CustomerFacts, fold: Fold) -> _State:
    seen, attachments = newest(facts.snapshots), Attachments(facts)
    default = default_source(facts, seen, attachments)
    alive = attachments.newest_first(attachments.alive()).sources
    bodies = {s: fold.sources[s].answer.body for s in alive if s in fold.sources}
    return _State(
        default=default,
        reason=reason_of(default, seen, told=facts.told),
        alive=alive,
        passing=sorted(
            source
            for source, times in attachments.times.items()
            if times.added == attachments.gone[source] == second
        ),
        bodies={source: body for source, body in bodies.items() if body},
    )


def _changes(
    second: int, customer: str, before: _State | None, now: _State, heard: Sequence[Heard]
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


def _deletion(second: int, customer: str, before: _State | None, heard: Sequence[Heard]) -> Change:
    tellers = [h for h in heard if h.concerns(customer)]
    return Change(
        id=f"change_{second}_0",
        type="customer.deleted",
        created=second,
        default_source=None,
        previous_default_source=before.source if before else None,
        basis=CONFIRMED,
        through=_through(tellers, None),
        rule=_DELETED.rule,
        why=_DELETED.why,
        events=_tellers(tellers),
    )


def _through(tellers: Sequence[Heard], reason: Reason | None) -> Through:
    if reason and reason.rule in _BY_RULE:
        return "rule"
    if not tellers:
        return "unknown"
    return "read" if all(h.teller.type == READ for h in tellers) else "event"


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


_DELETED = Reason("deleted", "the customer is deleted, and deleted stays deleted", [])
