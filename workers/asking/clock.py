"""What time it is at Stripe: a bound from below, since a read must never seem newer than it is.

A `Date` header says that Stripe's clock had reached this second when the answer left, so at the
latest when it arrived. How long the answer was on its way makes the bound lower, never higher.
"""

TRUSTED_SECONDS = 60.0
"""After so long an observation gives way to any newer one: two clocks drift apart."""


class StripeClock:
    """Learns from answers how far Stripe's clock is ahead of one of ours that never jumps."""

    def __init__(self) -> None:
        self._ahead: float | None = None
        self._learnt = 0.0

    @property
    def knows(self) -> bool:
        """Whether any answer has told the time yet."""
        return self._ahead is not None

    def heard(self, date: float, *, received: float) -> None:
        """Note an answer's `Date`, in unix seconds, and when it arrived by our own clock."""
        ahead = date - received
        if self._ahead is None or ahead > self._ahead or received - self._learnt > TRUSTED_SECONDS:
            self._ahead, self._learnt = ahead, received

    def at(self, moment: float) -> float:
        """Return the unix time that Stripe's clock had reached at a moment of our own clock.

        Raises:
            LookupError: no answer has told the time yet.

        """
        if self._ahead is None:
            raise LookupError("no answer of Stripe has told the time yet")
        return moment + self._ahead
