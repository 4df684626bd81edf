"""Load over HTTP: so many connections, each of which sends its next request when it has its answer.

Plain sockets and nothing else, so that the client leaves most of two cores to what is measured.
"""

import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

RECEIVED_BYTES = 1 << 16
OK = b"HTTP/1.1 200"
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "

TURNS = 3

WARM_UP_SHARE = 0.2
"""Of the time, at the beginning: what is answered in it is not counted."""


class RefusedError(Exception):
    """A server answered something else than 200, or nothing."""


@dataclass(slots=True)
class Caller:
    """One connection and what has come of the answer it waits for."""

    connection: socket.socket
    answer: bytes = b""

    @classmethod
    def connected(cls, port: int) -> "Caller":
        """Return a connection to a port of this machine."""
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connection)

    def received(self) -> bool:
        """Take what has come; tell whether the answer is whole, and then be ready for another.

        Raises:
            RefusedError: the answer is not 200, or none comes any more.

        """
        received = self.connection.recv(RECEIVED_BYTES)
        if not received:
            raise RefusedError("it closed the connection")
        self.answer += received
        if not _is_whole(self.answer):
            return False
        self.answer = b""
        return True


def answered(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> float:
    """Return how many requests a second a server on this machine answers.

    Args:
        port: where it listens.
        requests: what to send, whole requests with their heads; it must not end before the time.
        connections: how many wait for an answer at once.
        seconds: how long, the time of warming up included.

    Raises:
        RefusedError: an answer was not 200.

    """
    with selectors.DefaultSelector() as selector:
        callers = [Caller.connected(port) for _ in range(connections)]
        for caller in callers:
            selector.register(caller.connection, selectors.EVENT_READ, caller)
            caller.connection.sendall(next(requests))
        began = time.perf_counter()
        counted_from, number = began + WARM_UP_SHARE * seconds, 0
        while (now := time.perf_counter()) < began + seconds:
            for key, _ in selector.select(timeout=1):
                if key.data.received():
                    number += now >= counted_from
                    key.data.connection.sendall(next(requests))
        for caller in callers:
            caller.connection.close()
    return number / (now - counted_from)


def side_by_side(
    ours: Callable[[float], float], theirs: Callable[[float], float], *, seconds: float
) -> tuple[float, float]:
    """Return two rates taken in turns, of the turn whose ratio is the median.

    A machine is not as fast in one minute as in the next; turn by turn both meet the same.

    Args:
        ours: measures one of them for so many seconds.
        theirs: measures the other.
        seconds: for each of the two, all turns together.

    """
    turn = seconds / TURNS
    turns = [(ours(turn), theirs(turn)) for _ in range(TURNS)]
    return sorted(turns, key=lambda pair: pair[0] / pair[1])[TURNS // 2]


def ask(port: int, request: bytes) -> bytes:
    """Return the body of one answer; raises RefusedError when it is not 200."""
    with Caller.connected(port).connection as connection:
        connection.sendall(request)
        answer = b""
        while not _is_whole(answer):
            answer += connection.recv(RECEIVED_BYTES)
    return answer.partition(HEAD_END)[2]


def get(path: str, key: str) -> bytes:
    """Return a whole GET request."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        "Accept: application/json\r\nUser-Agent: bench\r\n\r\n"
    ).encode()


def post(path: str, body: bytes, signature: str) -> bytes:
    """Return a whole POST request as Stripe sends it."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nStripe-Signature: {signature}\r\n"
        "Accept: */*; q=0.5, application/xml\r\nUser-Agent: Stripe/1.0\r\n\r\n"
    )
    return head.encode() + body


def _is_whole(answer: bytes) -> bool:
    """Tell whether all of an answer has come."""
    head, end, body = answer.partition(HEAD_END)
    if not end:
        return False
    if not head.startswith(OK):
        raise RefusedError(answer.decode(errors="replace"))
    length = head[head.index(LENGTH) + len(LENGTH) :].partition(b"\r")[0]
    return len(body) >= int(length)
