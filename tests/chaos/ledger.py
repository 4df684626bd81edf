"""The ledger: what the senders were told, from the outside; nothing in it comes from Onfile."""

from collections import Counter
from collections.abc import Callable
from threading import Lock


class Ledger:
    """Which events were acknowledged with a 2xx, and how often others were refused."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._acknowledged: set[str] = set()
        self._answers: Counter[int] = Counter()

    def note(self, event_id: str, status: int) -> bool:
        """Write down one answer, 0 for none; tells whether it acknowledges the event."""
        taken = 200 <= status < 300
        with self._lock:
            self._answers[status] += 1
            if taken:
                self._acknowledged.add(event_id)
        return taken

    @property
    def acknowledged(self) -> set[str]:
        """Every event that was ever answered with a 2xx."""
        with self._lock:
            return set(self._acknowledged)

    def count(self) -> int:
        """Return how many events were acknowledged."""
        return len(self._acknowledged)

    def answers(self) -> Counter[int]:
        """Return how often each status was seen."""
        with self._lock:
            return self._answers.copy()

    def refusals(self) -> int:
        """Return how many deliveries were not acknowledged."""
        return sum(number for status, number in self.answers().items() if not 200 <= status < 300)

    def more_refusals(self, number: int = 1) -> Callable[[], bool]:
        """Return what tells that so many more deliveries were refused since now."""
        enough = self.refusals() + number
        return lambda: self.refusals() >= enough
