"""All connections of a web process: who has been waited for long enough, and who gives way.

Looked at a few times a second all together: a timer for each would cost every request something.
Whoever waits for us is never sent away; whoever lets us wait gives way when a newcomer needs room.
"""

import asyncio
from heapq import nlargest, nsmallest
from typing import TYPE_CHECKING

import structlog

from service.settings import Settings
from workers.http.outgoing import Outgoing

if TYPE_CHECKING:
    from workers.http.connection import Connection

LOOK_SECONDS = 0.25

BODIES_BYTES = 64 * 1024 * 1024
"""For all bodies that have not come whole: 64 of the largest, or some 30,000 usual ones."""

SHARE = 64
"""One in so many gives way at a time: looking for them one by one would cost more than they do."""

log = structlog.get_logger()


class Crowd:
    """The connections of one web process; used from its event loop alone."""

    def __init__(self, settings: Settings, connection_limit: int) -> None:
        """`connection_limit`: how many the system lets this process hold."""
        self.head_limit_bytes = settings.head_limit_bytes
        self.client_seconds = settings.client_timeout_seconds
        self.keep_alive_seconds = settings.keep_alive_seconds
        self.outgoing = Outgoing()
        self._limit = connection_limit
        self._share = max(1, connection_limit // SHARE)
        self._here: set[Connection] = set()
        self._leaving: set[Connection] = set()
        """Closed by us; the last of what they were told may still be on its way."""
        self.most_answers = 2 * connection_limit
        """Connections beyond this get 503; all that may be sent away have been by then."""
        self._body_bytes = 0
        self._looks = False
        self._slow = self._gave_way = 0

    def join(self, connection: "Connection") -> None:
        """Take in a newcomer; beyond the limit those make room who have let us wait the longest."""
        if len(self._here) >= self._limit:
            waited_for = (other for other in self._here if other.patience.is_tried)
            self._make_room(
                nsmallest(self._share, waited_for, key=lambda other: other.patience.since)
            )
        self._here.add(connection)
        if not self._looks:
            self._looks = True
            self._look_again()

    def leave(self, connection: "Connection") -> None:
        """Forget one that is closed."""
        self._here.discard(connection)
        self._leaving.discard(connection)

    def hold(self, size: int) -> None:
        """Count what bodies hold; beyond the limit the largest make room."""
        self._body_bytes += size
        if size > 0 and self._body_bytes > BODIES_BYTES:
            holding = (one for one in self._here if one.reading.held_bytes)
            self._make_room(nlargest(self._share, holding, key=lambda one: one.reading.held_bytes))

    def _make_room(self, connections: "list[Connection]") -> None:
        self._gave_way += len(connections)
        for connection in connections:
            self._end(connection)

    def _end(self, connection: "Connection") -> None:
        self._here.discard(connection)
        self._leaving.add(connection)
        connection.patience.until = asyncio.get_running_loop().time() + self.client_seconds
        connection.ending.now()

    def _look_again(self) -> None:
        asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """End what is overdue; say how many, and nothing of each: they may be many."""
        now = asyncio.get_running_loop().time()
        here = (*self._here, *self._leaving)
        overdue = [connection for connection in here if connection.patience.is_over(now)]
        self._slow += len(overdue)
        for connection in overdue:
            self._end(connection)
        if self._slow or self._gave_way:
            log.info("connections.closed", slow=self._slow, gave_way=self._gave_way)
            self._slow = self._gave_way = 0
        self._looks = bool(self._here or self._leaving)
        if self._looks:
            self._look_again()
