"""Again: a replay of the whole log onto nothing, and a rebuild of every answer, beside apply."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import redis

from service.keys import REPLAYED
from tests.benchmarks import apply, lives
from tests.benchmarks.processes import client, onfile, store, until, until_grown
from tests.benchmarks.rows import Row, rate

DOCUMENTS = ("onfile:c:*", "onfile:s:*")
LOST_TOGETHER = 1_000


def measure(folder: Path, scale: float) -> Iterator[Row]:
    """Yield the rows of replay and rebuild; of as many events as apply, a tenth of a million."""
    customers = max(apply.LEAST_CUSTOMERS, round(apply.CUSTOMERS * scale))
    events = customers * lives.EVENTS
    with store(folder) as url, client(url) as log:
        applied = apply.drained(url, folder, customers)
        beside = f"apply: {rate(applied)}"
        _empty(log)
        replayed = _replayed(url, log, folder, events)
        what = f"replay: {events:,} events onto an empty projection"
        yield Row(what, rate(replayed), beside, replayed / applied, "≥ 0.8")
        began = time.perf_counter()
        subprocess.run(
            _command("rebuild"), env=_environ(url), check=True, stdout=subprocess.DEVNULL
        )
        rebuilt = events / (time.perf_counter() - began)
        what = f"rebuild: every answer of {events:,} events, the command's start included"
        yield Row(what, rate(rebuilt), beside, rebuilt / applied, "≥ 0.8")


def _replayed(url: str, log: redis.Redis, folder: Path, events: int) -> float:
    """Return how many events a second are replayed, from the first round on."""

    def done() -> int:
        return sum(map(int, log.hvals(REPLAYED)))

    with onfile("worker", url, folder / "worker.log"):
        command = subprocess.Popen(
            _command("replay", "--all"),
            env=_environ(url),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(lambda: done() > 0, waiting_for="the first round")
            before, began = done(), time.perf_counter()
            until_grown(done, events, waiting_for="the replay's end")
            return (events - before) / (time.perf_counter() - began)
        finally:
            command.terminate()
            command.wait()


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "workers.cli.main", *words]


def _environ(url: str) -> dict[str, str]:
    return os.environ | {"REDIS_URL": url}


def _empty(log: redis.Redis) -> None:
    """Lose the projection, as if its store were new."""
    for pattern in DOCUMENTS:
        keys = log.scan_iter(pattern, count=LOST_TOGETHER)
        while some := list(islice(keys, LOST_TOGETHER)):
            log.unlink(*some)
