"""All that the stores keep of one customer: documents, log entries, PaymentMethods, notes."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar

import msgspec

from service.compression import LackingError, UnreadableError
from service.documents import decode_customer, decode_source
from service.keys import SOURCE_KEYS, Namespace, Subject, customer_key, source_key, subject_of
from service.log import event_log, mentions
from service.log.entry import Entry
from workers.algebra.facts import NEVER, CustomerFacts, SourceFacts
from workers.deriving import CUSTOMERS, SOURCES
from workers.operators.desk import Desk
from workers.operators.reading import Span, order, read_span

T = TypeVar("T")

PIECE = 500
"""Documents read together."""

Progress = Callable[[int], None]
"""Told how many entries of the log have been looked at since it was last told."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a customer."""

    namespace: Namespace
    customer: str
    sources: list[str]
    """Cards, bank accounts, Sources: all it ever had and all that its events carry."""
    payment_methods: list[str]
    """PaymentMethods proper, which only the log holds."""
    documents: int
    """How many documents of it the projection has, tombstones of the forgotten left out."""
    entries: list[str]
    """The log's entries about it, oldest first."""
    states: dict[str, int]
    """How many of them stand where: pending, retrying, failed, discarded, applied."""

    @property
    def name(self) -> tuple[Namespace, str]:
        """The namespace and the id."""
        return self.namespace, self.customer

    @property
    def ids(self) -> set[str]:
        """Everything it is called by."""
        return {self.customer, *self.sources, *self.payment_methods}


def find(
    desk: Desk,
    namespace: Namespace,
    customer: str,
    *,
    known: Iterable[str] = (),
    progress: Progress = lambda _: None,
) -> Person:
    """Return all that is kept of a customer.

    The log is read through, and again as long as that shows further objects of it: the event of a
    Source that names nobody may come before the one that says whose it is.

    Args:
        desk: the stores.
        namespace: the customer's.
        customer: its id.
        known: further ids of it.
        progress: told how many entries were looked at.

    Raises:
        LackingError: there may be more, which this process cannot read.

    """
    ids = {customer, *known, *_sources_of(desk, namespace, customer)}
    while True:
        found, carried = _in_log(desk, namespace, ids, customer, progress)
        if not (further := _without_others(desk, namespace, carried - ids, customer)):
            break
        ids |= further
    sources = sorted(one for one in ids - {customer} if not one.startswith("pm_"))
    told = mentions.entries_of(desk.log, [Subject(namespace, one) for one in (customer, *sources)])
    found |= {e.entry_id for e in event_log.fetch(desk.log, told) if e.customer in {"", customer}}
    entries = sorted(found, key=order)
    return Person(
        namespace=namespace,
        customer=customer,
        sources=sources,
        payment_methods=sorted(one for one in ids if one.startswith("pm_")),
        documents=_documents(desk, namespace, customer, sources),
        entries=entries,
        states=dict(Counter(event_log.states(desk.log, entries))),
    )


def _sources_of(desk: Desk, namespace: Namespace, customer: str) -> set[str]:
    """Return its sources, but for those that another customer claims more rightly."""
    [value] = desk.projection.load([customer_key(namespace, customer)])
    if value is None:
        return set()
    facts = customer_facts(value)
    if facts is None:
        return _sources_that_name(desk, namespace, customer)
    return {s for s, link in facts.links.items() if link.answer.owner in {"", customer}}


def _sources_that_name(desk: Desk, namespace: Namespace, customer: str) -> set[str]:
    """Look through all sources: the customer's own document is damaged."""
    named: set[str] = set()
    keys = desk.projection.keys(SOURCE_KEYS)
    while piece := list(islice(keys, PIECE)):
        for key, value in zip(piece, desk.projection.load(piece), strict=True):
            subject = subject_of(key)
            if value and subject.namespace == namespace and owner_of(value) == customer:
                named.add(subject.id)
    return named


def _without_others(desk: Desk, namespace: Namespace, sources: set[str], customer: str) -> set[str]:
    """Leave out the sources that another customer claims more rightly: those are not its own."""
    asked = list(sources)
    values = desk.projection.load([source_key(namespace, source) for source in asked])
    owners = [(value and owner_of(value)) or "" for value in values]
    return {s for s, owner in zip(asked, owners, strict=True) if owner in {"", customer}}


def _in_log(
    desk: Desk, namespace: Namespace, ids: set[str], customer: str, progress: Progress
) -> tuple[set[str], set[str]]:
    """Return the entries about these objects, and every object that the customer's own carry."""
    found: set[str] = set()
    further: set[str] = set()
    for piece in read_span(desk.log, Span(oldest_first=True)):
        for entry in piece:
            entry.demand()
            if entry.namespace == namespace and _is_about(entry, ids, customer):
                found.add(entry.entry_id)
                further |= {entry.object} - {""}
        progress(len(piece))
    return found, further


def _is_about(entry: Entry, ids: set[str], customer: str) -> bool:
    return entry.customer == customer or (entry.object in ids and not entry.customer)


def _documents(desk: Desk, namespace: Namespace, customer: str, sources: list[str]) -> int:
    """Count the documents that still hold something."""
    keys = [customer_key(namespace, customer), *(source_key(namespace, s) for s in sources)]
    values = desk.projection.load(keys)
    read: list[Callable[[bytes], CustomerFacts | SourceFacts | None]] = [customer_facts]
    read += [source_facts] * len(sources)
    kept = [of(value) for of, value in zip(read, values, strict=True) if value is not None]
    return sum(facts is None or facts.forgotten == NEVER for facts in kept)


def customer_facts(value: bytes) -> CustomerFacts | None:
    """Return what a customer's document keeps; None when it is damaged."""
    return _if_readable(lambda: CUSTOMERS.decode_facts(decode_customer(value)[2]))


def source_facts(value: bytes) -> SourceFacts | None:
    """Return what a source's document keeps; None when it is damaged."""
    return _if_readable(lambda: SOURCES.decode_facts(decode_source(value)[2]))


def owner_of(value: bytes) -> str | None:
    """Return whose a source's document says that it is; None when it is damaged."""
    return _if_readable(lambda: decode_source(value)[1].owner)


def _if_readable(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except LackingError:
        raise  # it is whole: another process reads it
    except UnreadableError:
        return None
