"""Apply facts: merge them into the stored documents and commit, sources first, then customers.

A source's document is committed before its link is pushed to its owners, and the link is pushed
every time, so that applying an event again heals what a crash in between left undone.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import msgspec

from service.documents import (
    CustomerAnswer,
    SourceAnswer,
    decode_customer,
    decode_source,
    encode_document,
)
from service.keys import Namespace, customer_key, source_key
from service.projection import Projection, Write
from workers.derive import derive_customer, derive_source
from workers.facts import CustomerFacts, Facts, Link, SourceFacts
from workers.merge import merge_customers, merge_sources
from workers.time_limit import TookTooLongError, at_most

F = TypeVar("F", SourceFacts, CustomerFacts)
A = TypeVar("A", SourceAnswer, CustomerAnswer)

_CONFLICT_ROUNDS = 1_000
"""Every conflict means that another worker got on; this many in a row mean something is broken."""


DERIVING_SECONDS = 3.0
"""All documents of a round together take some tenths of a second."""


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


class ConflictError(Exception):
    """The store refuses a document again and again: something else may be writing to its keys."""


def apply(projection: Projection, told: Iterable[Told]) -> Effect:
    """Merge what is told into the projection.

    Returns once all of it is stored. A document that cannot be derived fails the events that
    touch it and no others.

    Raises:
        redis.RedisError: the store of the projection is away; nothing is lost by trying again.

    """
    sources: _Batch[SourceFacts] = _Batch(merge_sources)
    customers: _Batch[CustomerFacts] = _Batch(merge_customers)
    effect = Effect(changed=set(), failed={})
    for entry, namespace, facts in told:
        try:
            for source, source_facts in facts.sources.items():
                sources.add(Subject(namespace, source), source_facts, {entry})
            for customer, customer_facts in facts.customers.items():
                customers.add(Subject(namespace, customer), customer_facts, {entry})
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - facts that do not merge are this event's fault
            effect.failed[entry] = error
    for subject, stored in _commit_all(projection, sources, _SOURCES, effect).items():
        link = link_to(stored)
        for owner in stored.facts.owners:
            customers.add(
                Subject(subject.namespace, owner),
                CustomerFacts(links={subject.id: link}),
                sources.entries[subject],
            )
    for subject, told_of in _commit_all(projection, customers, _CUSTOMERS, effect).items():
        effect.doubts[subject] = Doubt(told_of.version, tuple(told_of.answer.ambiguous))
    return effect


class _Stored(NamedTuple, Generic[F, A]):
    """A document as it stands in the store now."""

    facts: F
    version: int
    answer: A


def link_to(stored: "_Stored[SourceFacts, SourceAnswer]") -> Link:
    """Return a source as its owners know it; of one that has gone no body is kept."""
    answer = stored.answer
    if answer.gone:
        answer = msgspec.structs.replace(answer, body=b"")
    return Link(times=stored.facts.times, version=stored.version, answer=answer)


class _Batch(Generic[F]):
    """New facts by document, and the log entries they come from."""

    def __init__(self, merge: Callable[[F, F], F]) -> None:
        self.merge: Callable[[F, F], F] = merge
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
) -> Mapping[Subject, _Stored[F, A]]:
    """Commit every document of a batch, again and again until nobody was in between."""
    done: dict[Subject, _Stored[F, A]] = {}
    open_subjects = list(batch.facts)
    for _ in range(_CONFLICT_ROUNDS):
        if not open_subjects:
            return done
        values = projection.load([kind.key(*subject) for subject in open_subjects])
        derived, open_subjects = _derive_all(open_subjects, values, batch, kind, effect)
        done |= {subject: stored for subject, stored, write in derived if write is None}
        writes = [(subject, stored, write) for subject, stored, write in derived if write]
        committed = projection.commit([write for _, _, write in writes])
        for (subject, stored, _), succeeded in zip(writes, committed, strict=True):
            if succeeded:
                done[subject] = stored
                effect.changed.update(batch.entries[subject])
            else:
                open_subjects.append(subject)
    raise ConflictError(f"{len(open_subjects)} documents were refused {_CONFLICT_ROUNDS} times")


def _derive_all(
    subjects: Sequence[Subject],
    values: Sequence[bytes | None],
    batch: _Batch[F],
    kind: _Kind[F, A],
    effect: Effect,
) -> tuple[list[tuple[Subject, _Stored[F, A], Write | None]], list[Subject]]:
    """Merge and derive documents, and note what cannot be.

    Returns those that were derived, with what is to be written of them if anything; and those not
    looked at, for the one before them took too long.
    """
    derived: list[tuple[Subject, _Stored[F, A], Write | None]] = []
    looked_at = 0
    try:
        with at_most(DERIVING_SECONDS):
            for looked_at, (subject, value) in enumerate(zip(subjects, values, strict=True), 1):  # noqa: B007 (where it hangs)
                try:
                    stored, write = _merged(subject, value, batch, kind)
                except MemoryError:
                    raise
                except Exception as error:  # noqa: BLE001 - one document's fault is not the others'
                    effect.failed.update(dict.fromkeys(batch.entries[subject], error))
                else:
                    derived.append((subject, stored, write))
    except TookTooLongError as error:
        effect.failed.update(dict.fromkeys(batch.entries[subjects[looked_at - 1]], error))
    return derived, list(subjects[looked_at:])


def _merged(
    subject: Subject, value: bytes | None, batch: _Batch[F], kind: _Kind[F, A]
) -> tuple[_Stored[F, A], Write | None]:
    """Return the merged document, and how to store it if the facts changed anything.

    Versions grow with the clock, so that a document that was lost and told anew outranks what its
    owners remember of it; and they grow by themselves when the clock does not.
    """
    version, facts = 0, kind.empty()
    if value is not None:
        version, answer, known = kind.decode(value)
        facts = kind.decode_facts(known)
    merged = batch.merge(facts, batch.facts[subject])
    if value is not None and merged == facts:
        return _Stored(merged, version, answer), None
    answer = kind.derive(subject, merged)
    stored = _Stored(merged, max(version + 1, time.time_ns() // 1_000_000), answer)
    encoded = encode_document(stored.version, answer, msgspec.msgpack.encode(merged))
    return stored, Write(kind.key(*subject), version, encoded)


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
