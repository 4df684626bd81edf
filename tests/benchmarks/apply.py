"""Apply: one worker drains a backlog, beside one RQ job an event, and beside the store alone."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import redis
from rq import Queue
from rq.serializers import JSONSerializer

from service.keys import COUNTERS
from service.projection import Projection
from tests.benchmarks import job_an_event, lives, recording
from tests.benchmarks.processes import client, onfile, running, store, until, until_grown
from tests.benchmarks.rows import Row, rate
from workers import draining

CUSTOMERS = 25_000
LEAST_CUSTOMERS = 500
JOB_EVENTS = 600
"""Enough for two seconds; a backlog of 100,000 would take RQ twenty minutes."""

JOBS_SECONDS = 300

QUEUE = "benchmark"
RQ_WORKERS = (("SimpleWorker", 60), ("Worker", 180))
"""RQ's class, and how many times as fast Onfile wants to be."""


def measure(folder: Path, scale: float) -> Iterator[Row]:
    """Yield the rows of apply."""
    customers = max(LEAST_CUSTOMERS, round(CUSTOMERS * scale))
    what = f"apply: {customers * lives.EVENTS:,} events over {customers:,} customers, one worker"
    drained = _drained(folder / "backlog", customers)
    for name, goal in RQ_WORKERS:
        jobs = _one_job_an_event(folder / name, f"rq.{name}")
        beside = f"one RQ job an event, `{name}`: {rate(jobs)}"
        yield Row(what, rate(drained), beside, drained / jobs, f"≥ {goal}")
    floor = _floor(folder / "floor", max(LEAST_CUSTOMERS, customers // 5))
    beside = f"the same store commands, already built, sent again: {rate(floor)}"
    yield Row(what, rate(drained), beside, drained / floor, "≥ 0.5")
    shuffled = _drained(folder / "shuffled", customers, shuffled=True)
    beside = f"in the order of arrival: {rate(drained)}"
    yield Row("apply: the same, in no order at all", rate(shuffled), beside, shuffled / drained, "")


def _drained(folder: Path, customers: int, *, shuffled: bool = False) -> float:
    with store(folder) as url:
        return drained(url, folder, customers, shuffled=shuffled)


def drained(  # noqa: PLR0913 - each has its own meaning, and most their usual value
    url: str,
    folder: Path,
    customers: int,
    *,
    first: int = 0,
    shuffled: bool = False,
    workers: int = 1,
    **settings: str,
) -> float:
    """Append the lives of so many customers and return how many events a second workers apply.

    From the first round on, so that their start does not count.
    """
    with client(url) as log:
        done = settled(log)
        events = done + lives.append(log, lives.lives(customers, first=first, shuffled=shuffled))
        with ExitStack() as stack:
            for _ in range(workers):
                stack.enter_context(onfile("worker", url, folder / "worker.log", **settings))
            until(lambda: settled(log) > done, waiting_for="the worker's first round")
            before, began = settled(log), time.perf_counter()
            until_grown(partial(settled, log), events, waiting_for="the backlog's end")
            return (events - before) / (time.perf_counter() - began)


def settled(log: redis.Redis) -> int:
    """Return how many events of the log need nothing more."""
    return int(log.hget(COUNTERS, "settled") or 0)


def _one_job_an_event(folder: Path, worker: str) -> float:
    """Return the events a second of the usual way: each event a job, the same work in it."""
    with store(folder) as url, client(url) as connection:
        queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
        bodies = lives.lives(JOB_EVENTS // lives.EVENTS)
        queue.enqueue_many(
            [
                Queue.prepare_data(job_an_event.NAME, args=(body.decode(),), result_ttl=0)
                for body in bodies
            ]
        )
        command = [sys.executable, "-m", "rq.cli", "worker", "--url", url, "--quiet", QUEUE]
        options = ["--worker-class", worker, "--serializer", "rq.serializers.JSONSerializer"]
        with running([*command, *options], folder / "worker.log", {"REDIS_URL": url}):
            until(lambda: queue.count < JOB_EVENTS, waiting_for="RQ's first job")
            first, began = queue.count, time.perf_counter()
            until(lambda: queue.count == 0, JOBS_SECONDS, waiting_for="RQ's last job")
            return first / (time.perf_counter() - began)


def _floor(folder: Path, customers: int) -> float:
    """Return the events a second that the store alone allows."""
    copy = folder.with_suffix(".copy")
    with store(folder) as url, client(url) as log:
        events = lives.append(log, lives.lives(customers))
    shutil.copytree(folder, copy)
    with store(folder) as url:
        said = recording.record(url, _drain)
    with store(copy) as url:
        return events / recording.replay(url, said)


def _drain(connected: redis.Redis) -> None:
    while sum(draining.drain(connected, Projection(connected)).values()):
        pass
