"""Accept: signed webhooks, on disk before their 200, beside a bare endpoint and the usual way."""

import time
from collections.abc import Iterator
from functools import partial
from itertools import count, islice
from pathlib import Path

from service.signature import sign
from tests.benchmarks import lives, load
from tests.benchmarks.processes import SECRET, rivals, store, web
from tests.benchmarks.rows import Row, rate

SECONDS = 6.0
MOST_A_SECOND = 25_000
"""More than any of these takes; so many requests are made before the time begins to run."""


def measure(folder: Path, scale: float) -> Iterator[Row]:
    """Yield the rows of accept."""
    seconds = max(0.9, SECONDS * scale)
    with store(folder) as url, web(url, folder) as port, rivals(url, folder) as rival:
        fresh, bare, usual = map(deliveries, ("/webhooks/stripe", "/bare", "/usual"))
        for connections, goal in ((64, "≥ 0.7"), (16, "")):
            ours, theirs = load.side_by_side(
                partial(taken, port, fresh, connections),
                partial(taken, rival, bare, connections),
                seconds=seconds,
            )
            what = f"accept: webhooks over {connections} connections, one web process"
            beside = f"a bare endpoint that reads the body: {rate(theirs)}"
            yield Row(what, rate(ours), beside, ours / theirs, goal)
            if goal:
                theirs = taken(rival, usual, connections, seconds / 2)
                beside = f"`construct_event` and `queue.enqueue` in a thread: {rate(theirs)}"
                yield Row(what, rate(ours), beside, ours / theirs, "≥ 8")


def deliveries(path: str) -> Iterator[bytes]:
    """Yield whole signed requests without end, each with another event."""
    for customer in count():
        for place in range(lives.EVENTS):
            body = lives.event(customer, place)
            yield load.post(path, body, sign(body, SECRET, now=time.time()))


def taken(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> float:
    """Return how many of these deliveries a second are answered 200."""
    some = list(islice(requests, round(MOST_A_SECOND * seconds)))
    return load.answered(port, iter(some), connections, seconds)
