"""Visible: from a delivery to the answer that shows it, with few events and with many."""

from collections.abc import Iterator
from pathlib import Path

from service.log.backlog import backlog
from tests.benchmarks import pacing
from tests.benchmarks.processes import client, onfile, store, until, web
from tests.benchmarks.rows import Row, rate

QUIET_RATE = 200
QUIET_SECONDS = 10
BUSY_RATE = 3_000
BUSY_SECONDS = 60

WARM_UP_SECONDS = 1.0


def measure(folder: Path, scale: float) -> Iterator[Row]:
    """Yield the rows of visible and sustained."""
    with (
        store(folder) as url,
        client(url) as log,
        onfile("worker", url, folder / "worker.log"),
        web(url, folder) as port,
    ):
        pacing.deliver(port, rate=QUIET_RATE, seconds=WARM_UP_SECONDS, first=0)
        seconds = max(1.0, QUIET_SECONDS * scale)
        seen = pacing.deliver(port, rate=QUIET_RATE, seconds=seconds, first=1_000_000)
        what = f"visible: {QUIET_RATE} events/s for {seconds:.0f} s, one worker"
        for name, milliseconds, goal in (("p50", seen.p50, "≤ 15"), ("p99", seen.p99, "≤ 60")):
            beside = f"of {seen.samples:,} watched"
            yield Row(what, f"{name} {milliseconds:.1f} ms", beside, milliseconds, goal)
        seconds = max(1.0, BUSY_SECONDS * scale)
        seen = pacing.deliver(port, rate=BUSY_RATE, seconds=seconds, first=2_000_000)
        left = backlog(log).pending
        what = f"sustained: {BUSY_RATE:,} events/s for {seconds:.0f} s, one worker"
        beside = f"of {seen.samples:,} watched; {left:,} events pending at the end"
        measured = f"p99 {seen.p99:.0f} ms, {rate(seen.rate)}"
        yield Row(what, measured, beside, seen.p99, "≤ 500")
        until(lambda: backlog(log).pending == 0, 60, waiting_for="the rest")
