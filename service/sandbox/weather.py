"""The weather between Stripe and an endpoint: deliveries late, out of order, twice, or lost.

What befalls an event depends on the seed, the endpoint and the event's number alone, not on when
anything happens: the same operations under the same seed meet the same weather.
"""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

AGAIN_SECONDS = 1.0
"""How much later a duplicate comes at most when nothing is shuffled."""


class Forecast(NamedTuple):
    """What befalls the first try of one delivery."""

    wait: float
    """Seconds until it is sent."""
    lost: bool
    """It vanishes, and only the retry will come."""
    again: float | None
    """Seconds until it is sent once more, unasked."""


@dataclass(frozen=True)
class Weather:
    """How bad it is; as it stands here the sky is clear."""

    seed: int = 0
    delay: float = 0.0
    """Seconds that every event waits."""
    shuffle: float = 0.0
    """Seconds within which events overtake each other."""
    duplicate: float = 0.0
    """The share of events that come twice."""
    lose: float = 0.0
    """The share of first tries that vanish."""

    def forecast(self, endpoint: int, number: int) -> Forecast:
        """Return what befalls an event on its way to an endpoint."""
        chance = Random(f"weather {self.seed} {endpoint} {number}")  # noqa: S311 (no secret)
        wait = self.delay + self.shuffle * chance.random()
        lost = chance.random() < self.lose
        twice = chance.random() < self.duplicate
        later = (self.shuffle or AGAIN_SECONDS) * chance.random()
        return Forecast(wait, lost, wait + later if twice else None)

    def __str__(self) -> str:
        """Return it in words."""
        parts = [
            *([f"each event {self.delay:g} s late"] if self.delay else []),
            *([f"shuffled within {self.shuffle:g} s"] if self.shuffle else []),
            *([f"{self.duplicate:.0%} twice"] if self.duplicate else []),
            *([f"{self.lose:.0%} of first tries lost"] if self.lose else []),
        ]
        return ", ".join(parts) or "clear"
