"""Meters: what both processes count for /metrics, in one hash of whole numbers.

A field is the meter's name and its labels. Every label is one of a few words of ours: never an id,
never a customer. Lost counts harm nobody, so the web writes them as side notes.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

SEPARATOR = "|"
SUM = "sum"
LONGEST_SECONDS = 30 * 86_400
"""Longer ones count as this, for the store's whole numbers have an end, and `created` may be 0."""

MICROSECONDS = 1_000_000
"""Sums of seconds are kept in whole microseconds, for the store adds whole numbers exactly."""


class Meter(msgspec.Struct, frozen=True):
    """A counter with labels."""

    name: str
    labels: tuple[str, ...]

    def field(self, *values: str) -> str:
        """Return where it is counted for these values of its labels."""
        return SEPARATOR.join((self.name, *values))

    def read(self, fields: Mapping[str, int]) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield the values of its labels, and the count, for all that was counted."""
        for field, number in sorted(fields.items()):
            name, *values = field.split(SEPARATOR)
            if name == self.name:
                yield tuple(values), number


class Timer:
    """A histogram of durations: few buckets, at the bounds that decide something."""

    def __init__(self, name: str, bounds: tuple[float, ...]) -> None:
        self.name = name
        self.bounds = bounds
        self._texts = [*(f"{bound:g}" for bound in bounds), "+Inf"]
        self._fields = [f"{name}{SEPARATOR}{text}" for text in self._texts]
        self._sum = f"{name}{SEPARATOR}{SUM}"

    def field(self, seconds: float) -> str:
        """Return where one of this length is counted."""
        return self._fields[bisect_left(self.bounds, seconds)]

    @property
    def sum_field(self) -> str:
        """Where their lengths are added up, in microseconds."""
        return self._sum

    def count_all(self, durations: Iterable[float]) -> Counter[str]:
        """Return what these durations add to which field."""
        lengths = [min(each, LONGEST_SECONDS) for each in durations]
        added = Counter(map(self.field, lengths))
        if lengths:
            added[self._sum] = microseconds(sum(lengths))
        return added

    def read(self, fields: Mapping[str, int]) -> tuple[list[tuple[str, float]], float]:
        """Return the buckets as Prometheus wants them, each with all shorter ones; and the sum."""
        total = 0
        buckets: list[tuple[str, float]] = []
        for text, field in zip(self._texts, self._fields, strict=True):
            total += fields.get(field, 0)
            buckets.append((text, total))
        return buckets, fields.get(self._sum, 0) / MICROSECONDS


def microseconds(seconds: float) -> int:
    """Return a duration as a sum keeps it."""
    return round(seconds * MICROSECONDS)


DELIVERIES = Meter("deliveries", ("outcome", "reason"))
"""Answered deliveries; the reason is empty but for those refused or turned away."""

JOBS = Meter("jobs", ("task", "outcome"))
"""Not `job`: Prometheus gives that label a meaning of its own."""

FACTS = Meter("facts", ("standing",))
"""Documents told of snapshots, by what was new in them (see workers.standings)."""

TIES = Meter("ties", ("decided_by",))
"""Seconds in which a document got several snapshots, by what told which is the last."""

DIFFERENCES = Meter("differences", ("kind",))
"""What `onfile reconcile` found to differ from Stripe, repaired or not."""

ACCEPT = Timer("accept", (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2))
"""From a delivery's first line to its 200, of those that are kept."""

APPLY = Timer("apply", (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300))
"""From the log to the answers."""

STRIPE = Timer("stripe", (1, 2, 3, 5, 10, 30, 60, 300, 3600, 86_400))
"""From Stripe's own `created`, which counts whole seconds, to the answers."""
