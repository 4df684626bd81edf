"""The job as a worker reads it from the queue: believed in nothing but which job, of which event.

The queue is an input. RQ imports and calls whatever function a job names, then whatever callbacks
it names, and posts to whatever addresses; so whoever could write to the store could run anything.
A job read by this class is one of ours or is refused.
"""

import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import redis
import structlog
from rq.exceptions import NoSuchJobError
from rq.job import Job

from service.keys import APPLY_JOB, DRAIN_JOB, QUEUE, REPLAY_JOB, REPLAY_QUEUE
from workers import jobs

JOBS: Mapping[str, Callable[..., object]] = {
    DRAIN_JOB: jobs.drain,
    APPLY_JOB: jobs.apply,
    REPLAY_JOB: jobs.replay,
}
"""All that a worker does. Looked up, never imported by the name that the queue holds."""

ID = re.compile(r"[A-Za-z0-9_-]{1,255}")

SHOWN_LETTERS = 60
"""How much of what is no id a log line shows."""

ORIGINS = frozenset({QUEUE.encode(), REPLAY_QUEUE.encode()})

CALL_BYTES = 4096
"""A call of ours has some 60 bytes, and 300 with the longest id; RQ would unpack any number."""

FIELDS = frozenset(
    {
        b"created_at",
        b"data",
        b"description",
        b"ended_at",
        b"enqueued_at",
        b"failure_ttl",
        b"last_heartbeat",
        b"number_of_retries",
        b"origin",
        b"result_ttl",
        b"retries_left",
        b"retry_intervals",
        b"started_at",
        b"status",
        b"timeout",
        b"worker_name",
    }
)
"""What our jobs are made of; the rest is callbacks, web hooks, dependencies, repetitions."""

YEAR_SECONDS = 366 * 24 * 3600

BOUNDS = {
    b"timeout": (1, 3600),
    b"result_ttl": (0, YEAR_SECONDS),
    b"failure_ttl": (0, YEAR_SECONDS),
    b"number_of_retries": (0, 100),
    b"retries_left": (0, 100),
}
"""Far from what we write; beyond them RQ or the store raise where nobody awaits it."""

log = structlog.get_logger()


class ForeignJobError(Exception):
    """The queue holds a job that is none of Onfile's; somebody else writes to this store."""


class EventJob(Job):
    """A job of ours, or none."""

    @classmethod
    def fetch(cls, id: str, *args: Any, **kwargs: Any) -> Job:  # noqa: A002, ANN401 - RQ's own
        """Read a job from the store; raises NoSuchJobError, too, for what can be no job's id."""
        if not ID.fullmatch(id.partition(":")[0]):
            log.warning("job.unreadable", job=shown(id), reason="no id")
            raise NoSuchJobError("No job has such an id")
        return super().fetch(id, *args, **kwargs)

    def refresh(self) -> None:
        """Read it from the store; raises NoSuchJobError, too, when something else lies there."""
        try:
            super().refresh()  # type: ignore[no-untyped-call]
        except redis.ResponseError as error:
            raise NoSuchJobError(f"No job lies there: {self.id}") from error

    def restore(self, raw_data: Mapping[bytes, bytes]) -> Any:  # noqa: ANN401 - RQ's own
        """Read what the store holds; raises NoSuchJobError, which RQ passes over, for nonsense."""
        known = {name: value for name, value in raw_data.items() if name in FIELDS}
        try:
            known[b"data"] = _unpacked(known[b"data"])
            _must_be_bounded(known)
            return super().restore(known)
        except Exception as error:
            log.warning("job.unreadable", job=self.id, reason=type(error).__name__)
            raise NoSuchJobError(f"No job of Onfile's: {self.id}") from error

    @property
    def func(self) -> Callable[..., object]:
        """The function of the job; refused at once and for good when it is none of ours."""
        call = (self.instance, self.args, self.kwargs)
        function = JOBS.get(self.func_name) if isinstance(self.func_name, str) else None
        if function is None or not _names_an_event_at_most(*call):
            self.retries_left = 0
            raise ForeignJobError("Onfile makes no such job; find out who writes to its store.")
        return function


def shown(stranger: str | bytes) -> str:
    """Return the beginning of what somebody wrote in place of an id, fit for a log line."""
    head = stranger[:SHOWN_LETTERS]
    text = head.decode(errors="replace") if isinstance(head, bytes) else head
    return ascii(text)[1:-1]


def _unpacked(data: bytes) -> bytes:
    """Return the call as RQ packs it or not, and never more of it than a call can have."""
    unpacker = zlib.decompressobj()
    try:
        call = unpacker.decompress(data, CALL_BYTES + 1)
    except zlib.error:
        call = data
    if len(call) > CALL_BYTES:
        raise ValueError("too large")
    return call


def _must_be_bounded(fields: Mapping[bytes, bytes]) -> None:
    for name, (least, most) in BOUNDS.items():
        if fields.get(name) and not least <= int(fields[name]) <= most:
            raise ValueError(f"{name.decode()} is out of bounds")
    pauses = msgspec.json.decode(fields.get(b"retry_intervals") or b"[]", type=list[int])
    if not all(0 <= pause <= YEAR_SECONDS for pause in pauses):
        raise ValueError("retry_intervals are out of bounds")
    if fields[b"origin"] not in ORIGINS:
        raise ValueError("of another queue")


def _names_an_event_at_most(instance: object, args: object, kwargs: object) -> bool:
    if instance is not None or kwargs or not isinstance(args, list) or len(args) > 1:
        return False
    return all(isinstance(arg, str) and ID.fullmatch(arg) for arg in args)
