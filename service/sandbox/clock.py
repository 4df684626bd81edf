"""What time it is in the sandbox: the machine's, or one that a test moves by hand."""

import time
from typing import Protocol


class Clock(Protocol):
    """Whatever can say the time."""

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        return time.time()


class ManualClock:
    """A clock that stands still until it is moved: what happens meanwhile shares its second."""

    def __init__(self, start: float) -> None:
        self._now = start

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
