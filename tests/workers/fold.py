"""Apply events without a store: merge, link, derive, as `workers.apply` does with one.

Fast enough for thousands of shuffles; the same is done through a real store in `test_apply.py` and
for the recorded sequence.
"""

from collections.abc import Iterable, Sequence

from service.documents import CustomerAnswer, SourceAnswer
from service.event import Event, read_event
from service.keys import Namespace
from workers.apply import _Stored, link_to
from workers.derive import derive_customer, derive_source
from workers.facts import CustomerFacts, Facts, SourceFacts
from workers.handlers import facts_of
from workers.merge import merge_customers, merge_sources

TEST = Namespace("", "test")
"""Where the platform's own objects live in test mode: the namespace of most examples."""


def facts_told(body: bytes) -> Facts:
    """Return the facts of a delivered event; none when its type is not projected."""
    event = read_event(body)
    return facts_of(event) if isinstance(event, Event) else Facts()


class Fold:
    """All documents that some facts make, in memory."""

    def __init__(self, facts: Iterable[Facts] = ()) -> None:
        self.sources: dict[str, _Stored[SourceFacts, SourceAnswer]] = {}
        self.customers: dict[str, CustomerFacts] = {}
        self._version = 0
        for told in facts:
            self.apply([told])

    def apply(self, batch: Sequence[Facts]) -> None:
        """Merge the facts of one batch: sources first, then customers with every owner's link."""
        customers: dict[str, CustomerFacts] = {}
        sources: dict[str, SourceFacts] = {}
        for told in batch:
            for source, facts in told.sources.items():
                sources[source] = merge_sources(sources.get(source, SourceFacts()), facts)
            for customer, news in told.customers.items():
                customers[customer] = merge_customers(
                    customers.get(customer, CustomerFacts()), news
                )
        for source, facts in sources.items():
            self._merge_source(source, facts)
            stored = self.sources[source]
            pushed = CustomerFacts(links={source: link_to(stored)})
            for owner in stored.facts.owners:
                customers[owner] = merge_customers(customers.get(owner, CustomerFacts()), pushed)
        for customer, news in customers.items():
            known = self.customers.get(customer, CustomerFacts())
            self.customers[customer] = merge_customers(known, news)

    def source(self, source: str) -> SourceAnswer:
        """Return what a query about a source answers."""
        return self.sources[source].answer

    def customer(self, customer: str) -> CustomerAnswer:
        """Return what a query about a customer answers."""
        return derive_customer(TEST, customer, self.customers[customer])

    def answers(self) -> dict[str, SourceAnswer | CustomerAnswer]:
        """Return every answer there is, by id."""
        return {
            **{source: self.source(source) for source in sorted(self.sources)},
            **{customer: self.customer(customer) for customer in sorted(self.customers)},
        }

    def facts(self) -> dict[str, SourceFacts | CustomerFacts]:
        """Return all that is known, by id."""
        return {**{s: stored.facts for s, stored in self.sources.items()}, **self.customers}

    def _merge_source(self, source: str, facts: SourceFacts) -> None:
        stored = self.sources.get(source)
        known = stored.facts if stored else SourceFacts()
        merged = merge_sources(known, facts)
        if stored is None or merged != known:
            self._version += 1
            self.sources[source] = _Stored(merged, self._version, derive_source(merged))
