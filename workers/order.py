"""Which sources a customer has, and in which order: the newest first."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from workers.facts import NEVER, CustomerFacts, Times


class Order(NamedTuple):
    """Sources from the newest to the oldest, and whether events decide it."""

    sources: list[str]
    decided: bool


class Attachments:
    """A customer's links, read together with the whole lists it once showed."""

    def __init__(self, facts: CustomerFacts) -> None:
        self.times = {source: link.times for source, link in facts.links.items()}
        self.listed_at = max(facts.lists, default=NEVER)
        self.lists = facts.lists.get(self.listed_at, set())
        self.gone = {source: self._gone(source, times) for source, times in self.times.items()}

    def alive(self, by: int = NEVER - 1) -> list[str]:
        """Return the sources that have not gone by this second."""
        return [source for source, gone in self.gone.items() if gone > by]

    def newest_first(self, sources: Iterable[str]) -> Order:
        """Order these sources: again and again the one that none of the rest is newer than."""
        rest = sorted(sources, key=self._likely_age, reverse=True)
        if self._exact(rest):
            ages = {self._age(source) for source in rest}
            return Order(rest, decided=len(ages) == len(rest))
        newer = {i: {j for j in rest if self._surely_newer(j, i)} for i in rest}
        order, decided = [], True
        while rest:
            newest = [i for i in rest if not newer[i].intersection(rest)] or rest
            decided = decided and len(newest) == 1
            order.append(newest[0])
            rest = [i for i in rest if i != newest[0]]
        return Order(order, decided)

    def surely_newest(self, sources: Collection[str]) -> list[str]:
        """Return those of these sources that no other is surely newer than; all in a circle."""
        if self._exact(sources):
            newest_age = max(map(self._age, sources), default=None)
            return [i for i in sources if self._age(i) == newest_age]
        newest = [i for i in sources if not any(self._surely_newer(j, i) for j in sources)]
        return newest or list(sources)

    def _exact(self, sources: Collection[str]) -> bool:
        """Tell whether the moments of adding say everything: the usual case, and a quick one."""
        return not self.lists and all(self.times[i].added != NEVER for i in sources)

    def _age(self, source: str) -> tuple[int, bool]:
        times = self.times[source]
        return _bound(times), times.first == NEVER

    def _surely_newer(self, i: str, j: str) -> bool:
        """Tell whether source i was surely added after source j."""
        if i == j:
            return False
        mine, other = self.times[i], self.times[j]
        if mine.added != NEVER:
            if _bound(other) < mine.added:
                return True
            only_other_first = other.first != NEVER and mine.first == NEVER
            if other.added == mine.added and only_other_first:
                return True
        return any(self._shown_newer(i, j, listing) for listing in self.lists)

    def _shown_newer(self, i: str, j: str, listing: tuple[str, ...]) -> bool:
        if j not in listing:
            return False
        if i not in listing:
            return self.gone[i] == NEVER
        return listing.index(i) < listing.index(j)

    def _gone(self, source: str, times: Times) -> int:
        """Return when it went: a later whole list that lacks it tells so too."""
        missing = any(source not in listing for listing in self.lists)
        if missing and _bound(times) < self.listed_at:
            return min(times.gone, self.listed_at)
        return times.gone

    def _likely_age(self, source: str) -> tuple[int, bool, str]:
        """Stripe's ids begin with the time of their making; no proof, but the best there is."""
        return *self._age(source), source.partition("_")[2]


def _bound(times: Times) -> int:
    """Return when a source was added at the latest."""
    return times.added if times.added != NEVER else times.seen
