"""Commands sent ahead: the store works on them while this process makes the next ones.

A pipeline of redis-py sends all it has and then waits; here one is sent as soon as it is made, and
all replies are read in the end.
"""

from types import TracebackType
from typing import Any, Self

import redis


class Ahead:
    """One connection of a client's, for as long as replies are owed on it."""

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool
        self._connection: Any = None
        self._owed = 0

    def __enter__(self) -> Self:
        return self

    def send(self, *command: str | bytes | int) -> None:
        """Send a command.

        Raises:
            redis.ConnectionError: the store is away; what was sent before may be done or not.

        """
        if not self._connection:
            self._connection = self._pool.get_connection()
        self._owed += 1
        self._connection.send_packed_command(self._connection.pack_commands([command]))

    def replies(self) -> list[Any]:
        """Return the reply to each command, in their order; an error the store replied is one.

        Raises:
            redis.ConnectionError: the store is away; what was sent may be done or not.
            redis.TimeoutError: it does not answer; likewise.

        """
        replies = []
        while self._owed:
            replies.append(self._reply())
            self._owed -= 1
        return replies

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the connection back; one that still owes replies would give them to others."""
        if self._owed:
            self._connection.disconnect()
        if self._connection:
            self._pool.release(self._connection)

    def _reply(self) -> Any:  # noqa: ANN401 - whatever the command answers
        try:
            return self._connection.read_response()
        except redis.ResponseError as error:
            return error
