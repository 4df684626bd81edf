"""Apply facts: merge them into the stored documents and commit, sources first, then customers.

A source's document is committed before its link is pushed to its owners, and the link is pushed
every time, so that applying an event again heals what a crash in between left undone.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import msgspec

from service.documents import (
    CustomerAnswer,
    SourceAnswer,
    decode_customer,
    decode_source,
    encode_document,
    version_of,
)
from service.keys import Namespace, customer_key, source_key
from service.meters import FACTS, TIES
from service.projection import Projection, Write
from workers.derive import derive_customer, derive_source
from workers.facts import NEVER, CustomerFacts, Facts, Link, SourceFacts
from workers.merge import merge_customers, merge_sources
from workers.standings import standing, tie

F = TypeVar("F", SourceFacts, CustomerFacts)
A = TypeVar("A", SourceAnswer, CustomerAnswer)

_CONFLICT_ROUNDS = 1_000
"""Every conflict means that another worker got on; this many in a row mean something is broken."""


class Subject(NamedTuple):
    """Which document facts are about."""

    namespace: Namespace
    id: str


class Told(NamedTuple):
    """The facts of one event, by its log entry."""

    entry: str
    namespace: Namespace
    facts: Facts


class Doubt(NamedTuple):
    """What is ambiguous in a customer's answer, by the version of its document."""

    version: int
    ambiguous: tuple[str, ...]


@dataclass(frozen=True)
class Effect:
    """What applying did: entries that changed a document, and those that could not be applied."""

    changed: set[str]
    failed: dict[str, Exception]
    doubts: dict[Subject, Doubt] = field(default_factory=dict, compare=False)
    """Of every customer that was told of, changed or not."""
    told: dict[Subject, set[str]] = field(default_factory=dict, compare=False)
    """By customer the entries that told of it; by source those of a source that is nobody's."""
    forgotten: set[str] = field(default_factory=set)
    """Entries that told of somebody forgotten: nothing of them may stay."""
    entombed: dict[Subject, int] = field(default_factory=dict)
    """Sources that turned out to be a forgotten customer's, and since when that is forgotten."""
    meters: Counter[str] = field(default_factory=Counter, compare=False)
    """How the facts stood to what was known, and what decided ties."""


class ConflictError(Exception):
    """The store refuses a document again and again: something else may be writing to its keys."""


def apply(projection: Projection, told: Iterable[Told], *, anew: bool = False) -> Effect:
    """Merge what is told into the projection.

    Returns once all of it is stored. A document that cannot be derived fails the events that
    touch it and no others. With `anew` the answers of all documents that are told of are derived
    again, also when the facts are the same: the rules may be others.

    Raises:
        redis.RedisError: the store of the projection is away; nothing is lost by trying again.

    """
    sources: _Batch[SourceFacts] = _Batch(merge_sources, anew=anew)
    customers: _Batch[CustomerFacts] = _Batch(merge_customers, anew=anew)
    for entry, namespace, facts in told:
        for source, source_facts in facts.sources.items():
            sources.add(Subject(namespace, source), source_facts, {entry})
        for customer, customer_facts in facts.customers.items():
            customers.add(Subject(namespace, customer), customer_facts, {entry})
    effect = Effect(changed=set(), failed={})
    stored_sources = _commit_all(projection, sources, _SOURCES, effect)
    _push_links(stored_sources, sources, customers)
    stored_customers = _commit_all(projection, customers, _CUSTOMERS, effect)
    _note_sources(effect, stored_sources, sources)
    _note_customers(effect, stored_customers, customers, stored_sources)
    _entomb(projection, effect, sources)
    return effect


def _push_links(
    stored_sources: "Mapping[Subject, Stored[SourceFacts, SourceAnswer]]",
    sources: "_Batch[SourceFacts]",
    customers: "_Batch[CustomerFacts]",
) -> None:
    """Tell every owner of its sources, also when nothing changed."""
    for subject, stored in stored_sources.items():
        link = link_to(stored)
        for owner in stored.facts.owners:
            customers.add(
                Subject(subject.namespace, owner),
                CustomerFacts(links={subject.id: link}),
                sources.entries[subject],
            )


def _note_sources(
    effect: Effect,
    stored_sources: "Mapping[Subject, Stored[SourceFacts, SourceAnswer]]",
    sources: "_Batch[SourceFacts]",
) -> None:
    for subject, stored in stored_sources.items():
        if stored.facts.forgotten != NEVER:
            effect.forgotten.update(sources.entries[subject])
        elif not stored.facts.owners:
            effect.told[subject] = sources.entries[subject] - effect.failed.keys()


def _note_customers(
    effect: Effect,
    stored_customers: "Mapping[Subject, Stored[CustomerFacts, CustomerAnswer]]",
    customers: "_Batch[CustomerFacts]",
    stored_sources: "Mapping[Subject, Stored[SourceFacts, SourceAnswer]]",
) -> None:
    for subject, told_of in stored_customers.items():
        if told_of.version:  # else there is no such document, and never was
            effect.doubts[subject] = Doubt(told_of.version, tuple(told_of.answer.ambiguous))
        if told_of.facts.forgotten == NEVER:
            effect.told[subject] = customers.entries[subject] - effect.failed.keys()
        else:
            effect.forgotten.update(customers.entries[subject])
            owned = _owned_by(subject, stored_sources)
            effect.entombed.update(dict.fromkeys(owned, told_of.facts.forgotten))


def _owned_by(
    owner: Subject, stored: "Mapping[Subject, Stored[SourceFacts, SourceAnswer]]"
) -> Iterator[Subject]:
    for subject, source in stored.items():
        if subject.namespace == owner.namespace and source.answer.owner == owner.id:
            yield subject


def _entomb(projection: Projection, effect: Effect, told: "_Batch[SourceFacts]") -> None:
    """Forget the sources that have just said that they are a forgotten customer's."""
    late: _Batch[SourceFacts] = _Batch(merge_sources)
    for subject, second in effect.entombed.items():
        late.add(subject, SourceFacts(forgotten=second), told.entries[subject])
    _commit_all(projection, late, _SOURCES, effect)


class Stored(NamedTuple, Generic[F, A]):
    """A document as it stands in the store now."""

    facts: F
    version: int
    answer: A


def link_to(stored: "Stored[SourceFacts, SourceAnswer]") -> Link:
    """Return a source as its owners know it; of one that has gone no body is kept."""
    answer = stored.answer
    if answer.gone:
        answer = msgspec.structs.replace(answer, body=b"")
    return Link(times=stored.facts.times, version=stored.version, answer=answer)


class _Batch(Generic[F]):
    """New facts by document, and the log entries they come from."""

    def __init__(self, merge: Callable[[F, F], F], *, anew: bool = False) -> None:
        self.merge: Callable[[F, F], F] = merge
        self.anew = anew
        self.facts: dict[Subject, F] = {}
        self.entries: dict[Subject, set[str]] = {}

    def add(self, subject: Subject, facts: F, entries: set[str]) -> None:
        known = self.facts.get(subject)
        self.facts[subject] = self.merge(known, facts) if known is not None else facts
        self.entries.setdefault(subject, set()).update(entries)


class _Kind(NamedTuple, Generic[F, A]):
    """How documents of one kind are kept."""

    key: Callable[[Namespace, str], str]
    empty: Callable[[], F]
    decode: Callable[[bytes], tuple[int, A, bytes]]
    decode_facts: Callable[[bytes], F]
    derive: Callable[[Subject, F], A]


def _commit_all(
    projection: Projection, batch: _Batch[F], kind: _Kind[F, A], effect: Effect
) -> Mapping[Subject, Stored[F, A]]:
    """Commit every document of a batch, again and again until nobody was in between."""
    done: dict[Subject, Stored[F, A]] = {}
    open_subjects = list(batch.facts)
    for _ in range(_CONFLICT_ROUNDS):
        if not open_subjects:
            return done
        keys = [kind.key(*subject) for subject in open_subjects]
        writes: list[tuple[Subject, Write, Stored[F, A]]] = []
        for subject, key, value in zip(open_subjects, keys, projection.load(keys), strict=True):
            try:
                stored, encoded = _merged(subject, value, batch, kind, effect.meters)
            except Exception as error:  # noqa: BLE001 - one document's fault is not the others'
                effect.failed.update(dict.fromkeys(batch.entries[subject], error))
                continue
            if encoded is None:
                done[subject] = stored
            else:
                writes.append((subject, Write(key, version_of(value), encoded), stored))
        committed = projection.commit([write for _, write, _ in writes])
        open_subjects = []
        for (subject, _, stored), succeeded in zip(writes, committed, strict=True):
            if succeeded:
                done[subject] = stored
                effect.changed.update(batch.entries[subject])
            else:
                open_subjects.append(subject)
    raise ConflictError(f"{len(open_subjects)} documents were refused {_CONFLICT_ROUNDS} times")


def _merged(
    subject: Subject,
    value: bytes | None,
    batch: _Batch[F],
    kind: _Kind[F, A],
    meters: Counter[str],
) -> tuple[Stored[F, A], bytes | None]:
    """Return the merged document, and its new stored form if the facts changed anything.

    Versions grow with the clock, so that a document that was lost and told anew outranks what its
    owners remember of it; and they grow by themselves when the clock does not.
    """
    version, facts = 0, kind.empty()
    if value is not None:
        version, answer, known = kind.decode(value)
        facts = kind.decode_facts(known)
    told = batch.facts[subject]
    merged = batch.merge(facts, told)
    known_already = merged == facts
    if stands := standing(facts, told):
        meters[FACTS.field(stands)] += 1
    if value is not None and known_already and not batch.anew:
        return Stored(merged, version, answer), None
    derived = kind.derive(subject, merged)
    if batch.anew and known_already and (value is None or derived == answer):
        return Stored(merged, version, derived), None  # of nothing no document is made
    if decider := tie(merged, told, derived):
        meters[TIES.field(decider)] += 1
    stored = Stored(merged, max(version + 1, time.time_ns() // 1_000_000), derived)
    return stored, encode_document(stored.version, derived, msgspec.msgpack.encode(merged))


_SOURCES: _Kind[SourceFacts, SourceAnswer] = _Kind(
    key=source_key,
    empty=SourceFacts,
    decode=decode_source,
    decode_facts=msgspec.msgpack.Decoder(SourceFacts).decode,
    derive=lambda _, facts: derive_source(facts),
)
_CUSTOMERS: _Kind[CustomerFacts, CustomerAnswer] = _Kind(
    key=customer_key,
    empty=CustomerFacts,
    decode=decode_customer,
    decode_facts=msgspec.msgpack.Decoder(CustomerFacts).decode,
    derive=lambda subject, facts: derive_customer(subject.namespace, subject.id, facts),
)
