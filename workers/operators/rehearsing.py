"""A rehearsal of a replay: which answers would be others after it, while nothing is written."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import redis

from service.log import event_log
from service.log.entry import Entry
from service.projection import Projection
from workers import rounds
from workers.draining import ROUND_EVENTS
from workers.failures import reason_of
from workers.operators.overlay import Difference, Overlay
from workers.operators.search import Found


class Rehearsal:
    """Applies entries to an overlay, and remembers what came of it."""

    def __init__(self, stored: Projection) -> None:
        self._overlay = Overlay(stored)
        self.outcomes: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        """How many would fail, by the reason."""

    def apply(self, entries: Sequence[Entry]) -> None:
        """Apply these after those before."""
        result = rounds.run(self._overlay, entries)
        self.outcomes += result.outcomes
        self.failures.update(map(reason_of, result.failed.values()))

    def differences(self) -> Iterator[Difference]:
        """Yield which answers would be others."""
        return self._overlay.differences()


def entries_of(client: redis.Redis, found: Iterable[Found]) -> Iterator[list[Entry]]:
    """Yield what was found with its bodies, a round at a time."""
    rest = iter(found)
    while piece := [one.entry for one in islice(rest, ROUND_EVENTS)]:
        yield event_log.fetch(client, piece)
