"""Apply events without a store, as `workers.timelines.fold` does, and ask for the answers.

Fast enough for thousands of shuffles; the same is done through a real store in `test_apply.py` and
for the recorded sequence.
"""

from collections.abc import Iterable

from service.documents import CustomerAnswer, SourceAnswer
from service.event import Event, read_event
from service.keys import Namespace
from workers.algebra.derive import derive_customer
from workers.algebra.facts import CustomerFacts, Facts, SourceFacts
from workers.handlers import facts_of
from workers.timelines import fold

TEST = Namespace("", "test")
"""Where the platform's own objects live in test mode: the namespace of most examples."""


def facts_told(body: bytes) -> Facts:
    """Return the facts of a delivered event; none when its type is not projected."""
    event = read_event(body)
    return facts_of(event) if isinstance(event, Event) else Facts()


class Fold(fold.Fold):
    """All documents that some facts make, and their answers."""

    def __init__(self, facts: Iterable[Facts] = ()) -> None:
        super().__init__()
        for told in facts:
            self.apply([told])

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
