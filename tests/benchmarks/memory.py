"""Memory: what the store holds for a customer and for a logged event."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import redis

from tests.benchmarks import filled, lives, load
from tests.benchmarks.processes import KEY, client, store, web
from tests.benchmarks.rows import Row

CUSTOMERS = 20_000
EVENTS = 100_000
"""At fewer the index of the log has not filled its buckets, and what they cost weighs too much."""
CARDS = 2


def measure(folder: Path, scale: float) -> Iterator[Row]:
    """Yield the rows of memory."""
    customers = max(100, round(CUSTOMERS * scale))
    with store(folder / "projection") as url, client(url) as projection:
        empty = _used(projection)
        filled.fill(projection, customers, cards=CARDS)
        held = (_used(projection) - empty) / customers
        with web(url, folder / "projection") as port:
            path = f"/v1/customers/{lives.customer_id(0)}"
            served = sum(len(load.ask(port, load.get(path + p, KEY))) for p in ("", "/sources"))
        what = f"memory: a customer with {CARDS} cards, of {customers:,}"
        beside = f"the JSON served for it and its list: {served:,} bytes"
        yield Row(what, f"{held:,.0f} bytes", beside, held / served, "≤ 2")
    events = max(1_000, round(EVENTS * scale))
    with store(folder / "log") as url, client(url) as log:
        empty = _used(log)
        bodies = list(islice(lives.lives(events // lives.EVENTS), events))
        lives.append(log, iter(bodies))
        held = (_used(log) - empty) / len(bodies)
        received = sum(map(len, bodies)) / len(bodies)
        what = f"memory: a logged event with its index, of {len(bodies):,}"
        beside = f"its body as received: {received:,.0f} bytes"
        yield Row(what, f"{held:,.0f} bytes", beside, held / received, "≤ 0.35")


def _used(client: redis.Redis) -> int:
    info: Any = client.info("memory")
    return int(info["used_memory"])
