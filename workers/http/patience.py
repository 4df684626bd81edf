"""How long one client is waited for: for what it sends, and for taking its answers."""

import asyncio

NEVER = float("inf")


class Patience:
    """What is left of it, by the clock of the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, client_seconds: float) -> None:
        """`client_seconds`: how long it may take over an answer."""
        self._loop = loop
        self._client_seconds = client_seconds
        self.since = 0.0
        """Since when the client is waited for."""
        self.until = NEVER
        """How long at most; NEVER while it is the client who waits."""
        self.unread: asyncio.Future[None] | None = None
        """Done when it has taken some of its answer; None while it takes all it is given."""
        self._reads_until = NEVER
        """By when it must have."""

    @property
    def is_tried(self) -> bool:
        """Whether it is the client's turn."""
        return self.until != NEVER or self._reads_until != NEVER

    def is_over(self, now: float) -> bool:
        """Whether the client has had its time."""
        return self.until < now or self._reads_until < now

    def wait(self, seconds: float) -> None:
        """Wait for the client from now on."""
        self.since = self._loop.time()
        self.until = self.since + seconds

    def wait_no_longer_than(self, seconds: float) -> None:
        """Leave it less time than it had, if it had more."""
        self.until = min(self.until, self._loop.time() + seconds)

    def wait_for_reader(self) -> None:
        """Wait for the client to take its answer."""
        self.unread = self._loop.create_future()
        self._reads_until = self._loop.time() + self._client_seconds

    def go_on(self) -> None:
        """Know that it has taken some, or never will."""
        self._reads_until = NEVER
        if self.unread is not None and not self.unread.done():
            self.unread.set_result(None)
        self.unread = None
