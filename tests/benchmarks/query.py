"""Query: a customer, and the list of its three cards, beside a bare answer of as many bytes."""

import random
from collections.abc import Iterator
from functools import partial
from itertools import repeat
from pathlib import Path

from tests.benchmarks import filled, lives, load
from tests.benchmarks.processes import KEY, client, rivals, store, web
from tests.benchmarks.rows import Row, rate

CUSTOMERS = 10_000
CARDS = 3
CONNECTIONS = 64
SECONDS = 6.0


def measure(folder: Path, scale: float) -> Iterator[Row]:
    """Yield the rows of query."""
    customers = max(100, round(CUSTOMERS * scale))
    seconds = max(0.5, SECONDS * scale)
    with store(folder) as url, client(url) as projection:
        filled.fill(projection, customers, cards=CARDS)
        with web(url, folder) as port, rivals(url, folder) as rival:
            for what, path in (
                ("query: a customer", "/v1/customers/{}"),
                (f"query: the list of its {CARDS} cards", "/v1/customers/{}/sources"),
            ):
                length = len(load.ask(port, load.get(path.format(lives.customer_id(0)), KEY)))
                bare = repeat(load.get(f"/bytes/{length}", KEY))
                ours, theirs = load.side_by_side(
                    partial(asked, port, path, customers),
                    partial(load.answered, rival, bare, CONNECTIONS),
                    seconds=seconds,
                )
                beside = f"a bare answer of as many bytes ({length:,}): {rate(theirs, 'a second')}"
                yield Row(what, rate(ours, "a second"), beside, ours / theirs, "≥ 0.7")


def asked(port: int, path: str, customers: int, seconds: float) -> float:
    """Return how many queries a second are answered, each about any one of the customers."""
    dice = random.Random(1)  # noqa: S311 - the same in every run
    asks = [load.get(path.format(lives.customer_id(n)), KEY) for n in range(customers)]
    requests = (asks[int(dice.random() * customers)] for _ in repeat(None))
    return load.answered(port, requests, CONNECTIONS, seconds)
