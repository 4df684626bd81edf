"""Which sources a customer has, and in which order: the newest first."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from workers.algebra.facts import NEVER, CustomerFacts, Times

_BEFORE_ALL = -1


class Order(NamedTuple):
    """Sources from the newest to the oldest, and whether events decide it."""

    sources: list[str]
    decided: bool


class Attachments:
    """A customer's links, read together with the whole lists it once showed."""

    def __init__(self, facts: CustomerFacts) -> None:
        self.times = {source: link.times for source, link in facts.links.items()}
        self.listed_at = max(facts.lists, default=NEVER)
        self.lists = [
            {source: place for place, source in enumerate(listing)}
            for listing in facts.lists.get(self.listed_at, ())
        ]
        self.gone = {
            source: self._gone(source, times) if self.lists else times.gone
            for source, times in self.times.items()
        }

    def alive(self, by: int = NEVER - 1) -> list[str]:
        """Return the sources that have not gone by this second."""
        return [source for source, gone in self.gone.items() if gone > by]

    def newest_first(self, sources: Iterable[str]) -> Order:
        """Order these sources: again and again the one that none of the rest is newer than."""
        rest = sorted(sources, key=self._likely_age, reverse=True)
        if len(rest) <= 1:
            return Order(rest, decided=True)
        parts = self._parted(rest)
        if parts is None:
            return self._one_by_one(rest)
        unlisted, listed = parts
        return Order(unlisted + listed, decided=self._each_surely_newest(unlisted))

    def surely_newest(self, sources: Iterable[str]) -> list[str]:
        """Return those of these sources that no other is surely newer than; all in a circle."""
        rest = sorted(sources, key=self._likely_age, reverse=True)
        parts = self._parted(rest)
        if parts is None:
            return [i for i in rest if not self._newer_than(i, rest)] or rest
        unlisted, listed = parts
        return self._latest(unlisted) or listed[:1]

    # Large customers have hundreds of sources. Nearly always their order is plain: what a whole
    # list does not show is newer than all it shows, and of the rest the times decide.

    def _parted(self, rest: list[str]) -> tuple[list[str], list[str]] | None:
        """Part what the one list does not show from what it shows, in its order.

        None where that is not the whole story: several lists, or times that speak against it.
        """
        if not self.lists:
            return rest, []
        (listing, *others) = self.lists
        if others or any(self.gone[i] != NEVER for i in rest):
            return None
        unlisted = [i for i in rest if i not in listing]
        listed = sorted((i for i in rest if i in listing), key=listing.__getitem__)
        return None if self._contradicted(unlisted + listed) else (unlisted, listed)

    def _contradicted(self, order: list[str]) -> bool:
        """Tell whether the times say of any source that it is newer than one placed before it."""
        oldest_bound, firsts = NEVER, set()
        for source in order:
            times = self.times[source]
            if times.added != NEVER:
                if oldest_bound < times.added:
                    return True
                if times.first == NEVER and times.added in firsts:
                    return True
                if times.first != NEVER:
                    firsts.add(times.added)
            oldest_bound = min(oldest_bound, _bound(times))
        return False

    def _latest(self, rest: list[str]) -> list[str]:
        """Return those of these that by the times alone no other is surely newer than."""
        exact = [self.times[i] for i in rest if self.times[i].added != NEVER]
        last = max((times.added for times in exact), default=_BEFORE_ALL)
        plain = any(times.added == last and times.first == NEVER for times in exact)
        return [i for i in rest if self._may_be_latest(i, last, plain=plain)]

    def _each_surely_newest(self, rest: list[str]) -> bool:
        """Tell whether each of these, the likeliest first, is surely newer than all after it."""
        last, plain = _BEFORE_ALL, False
        for place in range(len(rest) - 1, 0, -1):
            for times in (self.times[rest[place]], self.times[rest[place - 1]]):
                if times.added != NEVER and times.added >= last:
                    plain = (plain and times.added == last) or times.first == NEVER
                    last = times.added
            if self._may_be_latest(rest[place], last, plain=plain):
                return False
        return True

    def _may_be_latest(self, source: str, last: int, *, plain: bool) -> bool:
        """Tell whether nothing added by the last exact second is surely newer than this one.

        Args:
            source: one of them.
            last: the greatest exact second of adding among all.
            plain: whether one added then is not known as the customer's first.

        """
        times = self.times[source]
        return _bound(times) >= last and not (
            times.added == last and times.first != NEVER and plain
        )

    def _one_by_one(self, rest: list[str]) -> Order:
        """Order by the definition itself, which compares each with each."""
        newer = {i: self._newer_than(i, rest) for i in rest}
        order, decided = [], True
        while rest:
            newest = [i for i in rest if not newer[i]] or rest
            decided = decided and len(newest) == 1
            taken = newest[0]
            order.append(taken)
            rest = [i for i in rest if i != taken]
            for others in newer.values():
                others.discard(taken)
        return Order(order, decided)

    def _newer_than(self, i: str, rest: Iterable[str]) -> set[str]:
        return {j for j in rest if self._surely_newer(j, i)}

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

    def _shown_newer(self, i: str, j: str, listing: Mapping[str, int]) -> bool:
        if j not in listing:
            return False
        if i not in listing:
            return self.gone[i] == NEVER
        return listing[i] < listing[j]

    def _gone(self, source: str, times: Times) -> int:
        """Return when it went: a later whole list that lacks it tells so too."""
        missing = any(source not in listing for listing in self.lists)
        if missing and _bound(times) < self.listed_at:
            return min(times.gone, self.listed_at)
        return times.gone

    def _likely_age(self, source: str) -> tuple[int, bool, str]:
        """Stripe's ids begin with the time of their making; no proof, but the best there is."""
        times = self.times[source]
        return _bound(times), times.first == NEVER, source.partition("_")[2]


def _bound(times: Times) -> int:
    """Return when a source was added at the latest."""
    return times.added if times.added != NEVER else times.seen
