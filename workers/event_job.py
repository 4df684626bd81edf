"""The job as a worker reads it from the queue: believed in nothing but which job, of which event.

The queue is an input. RQ imports and calls whatever function a job names, then whatever callbacks
it names, and posts to whatever addresses; so whoever could write to the store could run anything.
A job read by this class is one of ours or is refused.
"""

import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import redis
import structlog
from rq.exceptions import NoSuchJobError
from rq.job import Job

from service.keys import APPLY_JOB, DRAIN_JOB, REPLAY_JOB
from workers import jobs

JOBS: Mapping[str, Callable[..., object]] = {
    DRAIN_JOB: jobs.drain,
    APPLY_JOB: jobs.apply,
    REPLAY_JOB: jobs.replay,
}
"""All that a worker does. Looked up, never imported by the name that the queue holds."""

ID = re.compile(r"[A-Za-z0-9_-]{1,255}")

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

log = structlog.get_logger()


class ForeignJobError(Exception):
    """The queue holds a job that is none of Onfile's; somebody else writes to this store."""


class EventJob(Job):
    """A job of ours, or none."""

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


def _names_an_event_at_most(instance: object, args: object, kwargs: object) -> bool:
    if instance is not None or kwargs or not isinstance(args, list) or len(args) > 1:
        return False
    return all(isinstance(arg, str) and ID.fullmatch(arg) for arg in args)
