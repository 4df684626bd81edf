"""Facts folded without a store: merge, link and derive in memory, as `apply` does with one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from workers.algebra.derive import derive_source
from workers.algebra.facts import CustomerFacts, Facts, SourceFacts
from workers.algebra.links import Stored, link_to
from workers.algebra.merge import merge_customers, merge_sources

if TYPE_CHECKING:
    from service.documents import SourceAnswer


class Fold:
    """All documents that some facts make."""

    def __init__(self) -> None:
        self.sources: dict[str, Stored[SourceFacts, SourceAnswer]] = {}
        self.customers: dict[str, CustomerFacts] = {}
        self._version = 0

    def apply(self, batch: Iterable[Facts]) -> None:
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

    def _merge_source(self, source: str, facts: SourceFacts) -> None:
        stored = self.sources.get(source)
        known = stored.facts if stored else SourceFacts()
        merged = merge_sources(known, facts)
        if stored is None or merged != known:
            self._version += 1
            self.sources[source] = Stored(merged, self._version, derive_source(merged))
