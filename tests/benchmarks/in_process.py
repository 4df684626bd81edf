"""Onfile in one process: deliveries verified, accepted and applied, without HTTP and RQ's jobs.

Run as `python -m tests.benchmarks.in_process` with REDIS_URL set; laps.py says what it is told.
"""

import asyncio
import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import uvloop

from service import stores
from service.event import Event, read_event
from service.log import event_log
from service.log.intake import Intake
from service.settings import Settings
from service.signature import verify
from tests.benchmarks import laps
from tests.benchmarks.processes import SECRET
from workers import draining, jobs
from workers.worker import YOUNG_OBJECTS


async def accept(intake: Intake, deliveries: Sequence[laps.Delivery]) -> None:
    """Return when all of these are in the log, on disk."""
    await asyncio.gather(*(_take(intake, *delivery) for delivery in deliveries))


async def _take(intake: Intake, body: bytes, signature: str) -> None:
    verify(body, signature, [SECRET], now=time.time())
    event = read_event(body)
    assert isinstance(event, Event)
    await intake.accept(event, body)


def apply(opened: jobs.Stores, number: int) -> None:
    """Return when as many as were accepted are in the answers, on disk."""
    outcomes = draining.drain(*opened)
    assert outcomes == Counter(applied=number), outcomes


def run(url: str) -> None:
    """Handle one file after the other."""
    opened = jobs.open_stores(Settings(redis_url=url))
    event_log.ensure_group(opened.log)
    intake = Intake(stores.connect_async(url))
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            in_flight, path = line.rstrip("\n").split(" ", 1)
            waiting = iter(laps.read(path))
            began = time.perf_counter()
            while some := list(islice(waiting, int(in_flight))):
                runner.run(accept(intake, some))
                apply(opened, len(some))
            print(time.perf_counter() - began, flush=True)  # noqa: T201 - it is the answer


if __name__ == "__main__":
    run(os.environ["REDIS_URL"])
