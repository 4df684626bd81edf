"""Load at a steady rate, whatever the server does; and how soon its events show in answers."""

import http.client
import selectors
import statistics
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from service.signature import sign
from tests.benchmarks import lives, load
from tests.benchmarks.processes import KEY, SECRET, LateError

CONNECTIONS = 64
POLL_SECONDS = 0.002
GIVE_UP_SECONDS = 30


class Seen(NamedTuple):
    """How soon events showed in answers, from their being sent, in milliseconds."""

    p50: float
    p99: float
    samples: int
    rate: float
    """Events a second that were answered 200; the rate asked for, if the server kept up."""


def deliver(port: int, *, rate: float, seconds: float, first: int) -> Seen:
    """Deliver the creations of customers, one every so often, and watch some of them appear.

    Args:
        port: of the web process, for deliveries and queries.
        rate: events a second.
        seconds: how long.
        first: the number of the first customer; none of them may be known yet.

    Raises:
        LateError: much of it is unanswered long after its time.

    """
    total = round(rate * seconds)
    watch = _Watch(port)
    callers = [load.Caller.connected(port) for _ in range(CONNECTIONS)]
    idle = deque(callers)
    sent = delivered = 0
    with selectors.DefaultSelector() as selector:
        for caller in callers:
            selector.register(caller.connection, selectors.EVENT_READ, caller)
        requests = _created(first)
        began = time.perf_counter()
        while delivered < total:
            now = time.perf_counter()
            if now > began + seconds + GIVE_UP_SECONDS:
                raise LateError(f"{total - delivered} deliveries have no answer")
            while idle and sent < total and now >= began + sent / rate:
                caller = idle.popleft()
                watch.maybe(lives.customer_id(first + sent))
                caller.connection.sendall(next(requests))
                sent += 1
            due = began + sent / rate - time.perf_counter() if idle and sent < total else 1
            for key, _ in selector.select(timeout=max(0, due)):
                if key.data.received():
                    delivered += 1
                    idle.append(key.data)
    for caller in callers:
        caller.connection.close()
    return watch.seen(delivered / (now - began))


def _created(first: int) -> Iterator[bytes]:
    number = first
    while True:
        body = lives.event(number, 0)
        yield load.post("/webhooks/stripe", body, sign(body, SECRET, now=time.time()))
        number += 1


class _Watch:
    """Asks for one customer at a time, again and again, until its answer is there."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._milliseconds: list[float] = []
        self._watching: threading.Thread | None = None

    def maybe(self, customer: str) -> None:
        """Watch this one, whose event goes out now, unless another is being watched."""
        if self._watching is None or not self._watching.is_alive():
            sent_at = time.perf_counter()
            self._watching = threading.Thread(target=self._until_shown, args=(customer, sent_at))
            self._watching.start()

    def seen(self, rate: float) -> Seen:
        """Return what was seen."""
        if self._watching:
            self._watching.join()
        self._connection.close()
        ordered = sorted(self._milliseconds)
        p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
        return Seen(statistics.median(ordered), p99, len(ordered), rate)

    def _until_shown(self, customer: str, sent_at: float) -> None:
        while not self._shown(customer) and time.perf_counter() < sent_at + GIVE_UP_SECONDS:
            time.sleep(POLL_SECONDS)
        self._milliseconds.append((time.perf_counter() - sent_at) * 1000)

    def _shown(self, customer: str) -> bool:
        headers = {"Authorization": f"Bearer {KEY}"}
        self._connection.request("GET", f"/v1/customers/{customer}", headers=headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status == http.client.OK
