"""The floor: what a drain sends to the store, recorded, and sent again with nothing else done."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import hiredis
import redis
from redis.connection import Connection

RECEIVED_BYTES = 1 << 20


class Exchange(NamedTuple):
    """What went out at once, and how many replies came before anything else did."""

    sent: bytes
    replies: int


def record(url: str, work: Callable[[redis.Redis], None]) -> list[Exchange]:
    """Return all that some work says to a store, in the order in which it says it."""
    said: list[list[Any]] = []

    class Recording(Connection):
        def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002
            said.append([b"".join([command] if isinstance(command, bytes) else command), 0])
            super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]

        def read_response(self, *args: Any, **kwargs: Any) -> Any:
            said[-1][1] += 1
            return super().read_response(*args, **kwargs)

    pool = redis.ConnectionPool.from_url(url, connection_class=Recording)
    with redis.Redis(connection_pool=pool) as client:
        work(client)
    return [Exchange(sent, replies) for sent, replies in said]


def replay(url: str, exchanges: list[Exchange]) -> float:
    """Say it all again over a bare socket; returns the seconds it took."""
    with _connected(url) as connection:
        began = time.perf_counter()
        for sent, replies in exchanges:
            connection.sendall(sent)
            reader = hiredis.Reader()
            left = replies
            while left:
                reader.feed(connection.recv(RECEIVED_BYTES))
                while left and reader.gets() is not False:
                    left -= 1
        return time.perf_counter() - began


@contextmanager
def _connected(url: str) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
        yield connection
