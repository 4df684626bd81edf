"""Spread: what one more worker, a store of its own, a cluster and a replica bring and cost.

All of it on one machine, whose cores and disk they share: these ratios are the least that a step
brings. The store's own processor time for an event holds anywhere: it is what bounds them all.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from service.keys import COUNTERS
from tests.benchmarks import accept, apply, lives, load
from tests.benchmarks.processes import client, onfile, store, until, until_grown, web
from tests.benchmarks.rows import Row, rate
from tests.cluster import cluster

CUSTOMERS = 10_000
LEAST_CUSTOMERS = 500
WORKERS = 2
CONNECTIONS = 64
SECONDS = 9.0


def measure(folder: Path, scale: float) -> Iterator[Row]:
    """Yield the rows of spread."""
    customers = max(LEAST_CUSTOMERS, round(CUSTOMERS * scale))
    with ExitStack() as stack:
        log, apart = (stack.enter_context(store(folder / name)) for name in ("log", "apart"))
        shards = stack.enter_context(cluster(folder / "cluster"))
        firsts = count(0, customers)

        def applied(_seconds: float, workers: int = 1, projection: str = log) -> float:
            """Return the events a second of one more backlog, however long it takes."""
            return apply.drained(
                log,
                folder,
                customers,
                first=next(firsts),
                workers=workers,
                ONFILE_PROJECTION_URL=projection,
            )

        sharded = partial(applied, projection=shards[0].url)
        for what, many, beside, few in (
            ("two workers", partial(applied, workers=WORKERS), "one worker", applied),
            ("a store for the projection", partial(applied, projection=apart), "one", applied),
            ("the projection on three shards", sharded, "one store", applied),
            ("two workers, three shards", partial(sharded, workers=WORKERS), "one worker", sharded),
        ):
            ours, theirs = load.side_by_side(many, few, seconds=SECONDS)
            yield _row(f"apply, {what}", ours, f"{beside}: {rate(theirs)}", theirs)
    yield from _accepted(folder / "accept", max(0.9, SECONDS * scale))
    yield _store_time(folder / "time", customers, max(0.9, SECONDS * scale))


def _accepted(folder: Path, seconds: float) -> Iterator[Row]:
    """Yield what it costs to wait for a replica, whose disk is the same."""
    deliveries = accept.deliveries("/webhooks/stripe")
    with ExitStack() as stack:
        alone = stack.enter_context(store(folder / "alone"))
        first = stack.enter_context(store(folder / "first"))
        place = first.rpartition("/")[0].rpartition(":")
        options = ("--replicaof", f"127.0.0.1 {place[2]}", "--repl-diskless-sync-delay", "0")
        stack.enter_context(store(folder / "replica", *options))
        with client(first) as primary:
            until(lambda: _is_followed(primary), waiting_for="the replica")
        safe = stack.enter_context(web(first, folder, ONFILE_REPLICAS="1"))
        plain = stack.enter_context(web(alone, folder))
        waited, did_not = load.side_by_side(
            partial(accept.taken, safe, deliveries, CONNECTIONS),
            partial(accept.taken, plain, deliveries, CONNECTIONS),
            seconds=seconds,
        )
        beside = f"no replica: {rate(did_not)}"
        yield _row("accept, `ONFILE_REPLICAS=1` and a replica", waited, beside, did_not)


def _store_time(folder: Path, customers: int, seconds: float) -> Row:
    """Return how much of its one core the store spends on an event."""
    with store(folder / "accept") as url, client(url) as log, web(url, folder) as port:
        began = _cpu_seconds(log)
        accept.taken(port, accept.deliveries("/webhooks/stripe"), CONNECTIONS, seconds)
        to_accept = (_cpu_seconds(log) - began) / int(log.hget(COUNTERS, "accepted") or 0)
    with store(folder / "apply") as url, client(url) as log:
        events = lives.append(log, lives.lives(customers))
        began = _cpu_seconds(log)
        with onfile("worker", url, folder / "worker.log"):
            until_grown(partial(apply.settled, log), events, waiting_for="the worker")
        to_apply = (_cpu_seconds(log) - began) / events
    both = to_accept + to_apply
    return Row(
        "spread: the store's main thread, for an event accepted and applied",
        f"{both * 1e6:.0f} µs",
        f"to accept it {to_accept * 1e6:.0f} µs, to apply it {to_apply * 1e6:.0f} µs; "
        f"a core is full at {rate(1 / both)}",
        None,
        "",
    )


def _is_followed(primary: Any) -> bool:
    """Tell whether a replica has all there was, and is being sent what comes."""
    replica = primary.info("replication").get("slave0")
    return bool(replica and replica["state"] == "online")


def _cpu_seconds(log: Any) -> float:
    told = log.info("cpu")
    return sum(float(told[f"used_cpu_{part}_main_thread"]) for part in ("user", "sys"))


def _row(what: str, measured: float, beside: str, one: float) -> Row:
    return Row(f"spread: {what}", rate(measured), beside, measured / one, "")
