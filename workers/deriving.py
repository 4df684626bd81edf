"""Derive documents: new facts merged into what is stored, some documents at a time.

One that cannot be derived, or takes too long, fails the events that touch it and holds up no other.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import Generic, NamedTuple

import msgspec

from service.documents import (
    CustomerAnswer,
    SourceAnswer,
    decode_customer,
    decode_source,
    encode_document,
    read_part,
)
from service.drop import KEEP_ALL, Drop
from service.keys import Namespace, Subject, customer_key, source_key
from service.projection import Write
from service.watch.meters import FACTS, TIES
from workers.algebra.bare import bare_customer, bare_source
from workers.algebra.derive import derive_customer, derive_source
from workers.algebra.facts import CustomerFacts, SourceFacts
from workers.algebra.links import A, F, Stored
from workers.effect import Effect
from workers.standings import standing, tie
from workers.time_limit import TookTooLongError, at_most

DERIVED_TOGETHER = 100
DERIVING_SECONDS = 3.0
"""So many documents together take some hundredths of a second."""


class Batch(Generic[F]):
    """New facts by document, and the log entries they come from."""

    def __init__(
        self, merge: Callable[[F, F], F], *, anew: bool = False, drop: Drop = KEEP_ALL
    ) -> None:
        """With `anew` answers are derived again, also where the facts are the same.

        What is to `drop` is dropped from the stored facts; the new ones must be without it.
        """
        self.merge: Callable[[F, F], F] = merge
        self.anew = anew
        self.drop = drop
        self.facts: dict[Subject, F] = {}
        self.entries: dict[Subject, set[str]] = {}

    def add(self, subject: Subject, facts: F, entries: set[str]) -> None:
        """Add what these entries told of a document."""
        if subject in self.facts:
            self.facts[subject] = self.merge(self.facts[subject], facts)
            self.entries[subject] |= entries
        else:
            self.facts[subject] = facts
            self.entries[subject] = set(entries)


class Kind(NamedTuple, Generic[F, A]):
    """How documents of one kind are kept."""

    key: Callable[[Namespace, str], str]
    empty: Callable[[], F]
    decode: Callable[[bytes], tuple[int, A, bytes]]
    decode_facts: Callable[[bytes], F]
    bare: Callable[[F, Drop], F]
    derive: Callable[[Subject, F], A]


class Merged(NamedTuple, Generic[F, A]):
    """A document with new facts in it, not yet stored."""

    subject: Subject
    stored: Stored[F, A]
    """As it will stand."""
    write: Write | None
    """None when nothing changes."""
    metered: Sequence[str]
    """What storing it adds to /metrics: another merge of the same facts may count otherwise."""


def derive_all(
    documents: Iterable[tuple[Subject, bytes | None]],
    batch: Batch[F],
    kind: Kind[F, A],
    effect: Effect,
) -> Iterator[Merged[F, A]]:
    """Merge and derive documents, some at a time, and note what cannot be."""
    rest = iter(documents)
    while some := list(islice(rest, DERIVED_TOGETHER)):
        derived, left = _derive_some(some, batch, kind, effect)
        rest = chain(left, rest)
        yield from derived


def _derive_some(
    documents: Sequence[tuple[Subject, bytes | None]],
    batch: Batch[F],
    kind: Kind[F, A],
    effect: Effect,
) -> tuple[list[Merged[F, A]], Sequence[tuple[Subject, bytes | None]]]:
    """Return those that were derived; and those not looked at: the one before took too long."""
    derived: list[Merged[F, A]] = []
    looked_at = 0
    try:
        with at_most(DERIVING_SECONDS):
            for looked_at, (subject, value) in enumerate(documents, 1):  # noqa: B007 (where it hangs)
                try:
                    derived.append(_merged(subject, value, batch, kind))
                except MemoryError:
                    raise
                except Exception as error:  # noqa: BLE001 - one document's fault is not the others'
                    effect.failed.update(dict.fromkeys(batch.entries[subject], error))
    except TookTooLongError as error:
        hung, _ = documents[looked_at - 1]
        effect.failed.update(dict.fromkeys(batch.entries[hung], error))
    return derived, documents[looked_at:]


def _merged(
    subject: Subject, value: bytes | None, batch: Batch[F], kind: Kind[F, A]
) -> Merged[F, A]:
    """Return the merged document, and how to store it if that changes anything.

    Versions grow with the clock, so that a document that was lost and told anew outranks what its
    owners remember of it; and they grow by themselves when the clock does not.
    """
    version, known, packed = 0, kind.empty(), b""
    if value is not None:
        version, answer, packed = kind.decode(value)
        known = kind.decode_facts(packed)
    facts = kind.bare(known, batch.drop) if batch.drop.concerns(packed) else known
    told = batch.facts[subject]
    merged = batch.merge(facts, told)
    known_already = merged == known
    stands = standing(facts, told)
    metered = [FACTS.field(stands)] if stands else []
    if value is not None and known_already and not batch.anew:
        return Merged(subject, Stored(merged, version, answer), None, metered)
    derived = kind.derive(subject, merged)
    if batch.anew and known_already and (value is None or derived == answer):
        # of nothing no document is made
        return Merged(subject, Stored(merged, version, derived), None, metered)
    if decider := tie(merged, told, derived):
        metered.append(TIES.field(decider))
    stored = Stored(merged, max(version + 1, time.time_ns() // 1_000_000), derived)
    encoded = encode_document(stored.version, derived, msgspec.msgpack.encode(merged))
    return Merged(subject, stored, Write(kind.key(*subject), version, encoded), metered)


SOURCES: Kind[SourceFacts, SourceAnswer] = Kind(
    key=source_key,
    empty=SourceFacts,
    decode=decode_source,
    decode_facts=partial(read_part, msgspec.msgpack.Decoder(SourceFacts)),
    bare=bare_source,
    derive=lambda _, facts: derive_source(facts),
)
CUSTOMERS: Kind[CustomerFacts, CustomerAnswer] = Kind(
    key=customer_key,
    empty=CustomerFacts,
    decode=decode_customer,
    decode_facts=partial(read_part, msgspec.msgpack.Decoder(CustomerFacts)),
    bare=bare_customer,
    derive=lambda subject, facts: derive_customer(subject.namespace, subject.id, facts),
)
