"""A worker that something goes wrong with, at a place that is named: `… PLAN worker`.

It is the command line with one function of its own replaced first, so nothing in production code
knows of it. A plan is `die-before:STAGE:N`, `die-after:STAGE:N` (by its own hand, at the N-th
time), or `handler:HARM`, which befalls a few of the events.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from operator import attrgetter
from typing import Any
from zlib import crc32

from service.event import Event
from workers.cli.main import main

STAGES = {
    "claim": ("service.log.event_log", "claim_new"),
    "load": ("service.projection", "Projection.load"),
    "merge": ("workers.deriving", "_merged"),
    "commit": ("service.projection", "Projection.commit"),
    "acknowledge": ("service.log.event_log", "acknowledge"),
    "release": ("service.log.event_log", "put_back"),
    "rq-maintain": ("workers.event_worker", "EventWorker.run_maintenance_tasks"),
    "rq-dequeue": ("workers.event_worker", "EventWorker.dequeue_job_and_maintain_ttl"),
    "rq-execution": ("workers.event_worker", "EventWorker.prepare_execution"),
    "rq-prepare": ("workers.event_worker", "EventWorker.prepare_job_execution"),
    "rq-perform": ("rq.job", "Job.perform"),
    "rq-ended": ("workers.event_worker", "EventWorker.handle_execution_ended"),
    "rq-success": ("workers.event_worker", "EventWorker.handle_job_success"),
    "rq-cleanup": ("workers.event_worker", "EventWorker.cleanup_execution"),
}
"""Where each stage of a job begins and ends. After `acknowledge`, on a pipeline, nothing has been
sent yet; before `release`, which is called with nothing to release, it has."""

VICTIM_EVERY = 40
"""One event in so many is harmed."""

MEMORY_BYTES = 1024**3
"""Of a worker whose handler is greedy: what a container would be given."""

HUNK_BYTES = 64 * 1024 * 1024
LEAST_BYTES = 1024


def victim(event_id: str) -> bool:
    """Tell whether a sabotaged handler harms this event: always the same ones."""
    return crc32(event_id.encode()) % VICTIM_EVERY == 0


def hang(_event: Event) -> Any:
    """Never return."""
    while True:
        time.sleep(1)


def fail(_event: Event) -> Any:
    """Raise what no rule foresees."""
    raise RuntimeError("sabotaged")


def talk_nonsense(_event: Event) -> Any:
    """Return what is no Facts."""
    return ["nonsense"]


def devour(_event: Event, hunks: list[bytearray] | None = None) -> Any:
    """Take all the memory there is, and give it back in the end."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    taken = [] if hunks is None else hunks
    size = HUNK_BYTES
    while True:
        try:
            taken.append(bytearray(size))
        except MemoryError:
            if size == LEAST_BYTES:
                raise
            size //= 2


def leak(event: Event) -> Any:
    """Take all the memory there is, and keep it."""
    devour(event, _leaked)


_leaked: list[bytearray] = []


def be_killed(_event: Event) -> Any:
    """Die as by the kernel when memory is out."""
    os.kill(os.getpid(), signal.SIGKILL)


HARMS: dict[str, Callable[[Event], Any]] = {
    "hang": hang,
    "fail": fail,
    "nonsense": talk_nonsense,
    "devour": devour,
    "leak": leak,
    "be-killed": be_killed,
}


def follow(plan: str) -> None:
    """Replace what the plan says."""
    deed, subject, *count = plan.split(":")
    if deed == "handler":
        _replace("workers.rounds", "facts_of", lambda right: _harming(right, HARMS[subject]))
    else:
        place = STAGES[subject]
        _replace(*place, lambda right: _dying(right, int(*count), after=deed == "die-after"))


def _harming(right: Callable[[Event], Any], harm: Callable[[Event], Any]) -> Callable[..., Any]:
    return lambda event: harm(event) if victim(event.id) else right(event)


def _dying(right: Callable[..., Any], number: int, *, after: bool) -> Callable[..., Any]:
    calls = 0

    @wraps(right)
    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        result = right(*args, **kwargs) if after or calls < number else None
        if calls >= number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return dying


def _replace(module: str, path: str, make: Callable[[Callable[..., Any]], object]) -> None:
    holder_path, _, name = path.rpartition(".")
    holder: Any = import_module(module)
    if holder_path:
        holder = attrgetter(holder_path)(holder)
    setattr(holder, name, make(getattr(holder, name)))


if __name__ == "__main__":
    follow(sys.argv.pop(1))
    main()
