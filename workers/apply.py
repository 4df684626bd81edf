"""Apply facts: merge them into the stored documents and commit, sources first, then customers.

A source's document is committed before its link is pushed to its owners, and the link is pushed
every time, so that applying an event again heals what a crash in between left undone.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from service.documents import CustomerAnswer, SourceAnswer
from service.keys import Namespace, Subject
from service.projection import Projection
from workers.algebra.facts import NEVER, CustomerFacts, Facts, SourceFacts
from workers.algebra.links import Stored, link_to
from workers.algebra.merge import merge_customers, merge_sources
from workers.commits import CUSTOMERS, SOURCES, Batch, commit_all
from workers.effect import Doubt, Effect

StoredSources: TypeAlias = Mapping[Subject, Stored[SourceFacts, SourceAnswer]]
StoredCustomers: TypeAlias = Mapping[Subject, Stored[CustomerFacts, CustomerAnswer]]


class Told(NamedTuple):
    """The facts of one event, by its log entry."""

    entry: str
    namespace: Namespace
    facts: Facts


def apply(projection: Projection, told: Iterable[Told], *, anew: bool = False) -> Effect:
    """Merge what is told into the projection.

    Returns once all of it is stored. A document that cannot be derived fails the events that
    touch it and no others. With `anew` the answers of all documents that are told of are derived
    again, also when the facts are the same: the rules may be others.

    Raises:
        redis.RedisError: the store of the projection is away; nothing is lost by trying again.

    """
    effect = Effect(changed=set(), failed={})
    sources: Batch[SourceFacts] = Batch(merge_sources, anew=anew, drop=projection.drop)
    customers: Batch[CustomerFacts] = Batch(merge_customers, anew=anew, drop=projection.drop)
    for one in told:
        try:
            _add(one, sources, customers)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - facts that do not merge are this event's fault
            effect.failed[one.entry] = error
    stored_sources = commit_all(projection, sources, SOURCES, effect)
    of_customers = set[str]().union(*customers.entries.values())
    _push_links(stored_sources, sources, customers)
    stored_customers = commit_all(projection, customers, CUSTOMERS, effect)
    _note_sources(effect, stored_sources, sources, of_customers)
    _note_customers(effect, stored_customers, customers, stored_sources)
    _entomb(projection, effect, sources)
    return effect


def _add(told: Told, sources: Batch[SourceFacts], customers: Batch[CustomerFacts]) -> None:
    entry, namespace, facts = {told.entry}, told.namespace, told.facts
    for source, source_facts in facts.sources.items():
        sources.add(Subject(namespace, source), source_facts, entry)
    for customer, customer_facts in facts.customers.items():
        customers.add(Subject(namespace, customer), customer_facts, entry)


def _push_links(
    stored_sources: StoredSources, sources: Batch[SourceFacts], customers: Batch[CustomerFacts]
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
    stored_sources: StoredSources,
    sources: Batch[SourceFacts],
    of_customers: set[str],
) -> None:
    """Note what told of a source; `of_customers` is what their customers are to be asked about."""
    for subject, stored in stored_sources.items():
        if stored.facts.forgotten != NEVER:
            effect.forgotten.update(sources.entries[subject] - of_customers)
        elif not stored.facts.owners:
            effect.told[subject] = sources.entries[subject] - effect.failed.keys()


def _note_customers(
    effect: Effect,
    stored_customers: StoredCustomers,
    customers: Batch[CustomerFacts],
    stored_sources: StoredSources,
) -> None:
    for subject, stored in stored_customers.items():
        if stored.version:  # else there is no such document, and never was
            effect.doubts[subject] = Doubt(stored.version, tuple(stored.answer.ambiguous))
        if stored.facts.forgotten == NEVER:
            effect.told[subject] = customers.entries[subject] - effect.failed.keys()
        else:
            effect.forgotten.update(customers.entries[subject])
            owned = _owned_by(subject, stored_sources)
            effect.entombed.update(dict.fromkeys(owned, stored.facts.forgotten))


def _owned_by(owner: Subject, stored_sources: StoredSources) -> Iterator[Subject]:
    for subject, source in stored_sources.items():
        if subject.namespace == owner.namespace and source.answer.owner == owner.id:
            yield subject


def _entomb(projection: Projection, effect: Effect, told: Batch[SourceFacts]) -> None:
    """Forget the sources that have just said that they are a forgotten customer's."""
    late: Batch[SourceFacts] = Batch(merge_sources)
    for subject, second in effect.entombed.items():
        late.add(subject, SourceFacts(forgotten=second), told.entries[subject])
    commit_all(projection, late, SOURCES, effect)
