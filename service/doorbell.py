"""The doorbell: RQ jobs that say that events are pending, and never carry one.

A job costs RQ some milliseconds whatever is in it, so one drain job stands for all events pending
when it starts. Only an event that failed gets a job of its own, with the event's id as its id.
"""

import contextlib
import time
from typing import Any

import redis
from redis.client import Pipeline
from rq import Queue, Retry
from rq.exceptions import NoSuchJobError
from rq.executions import ExecutionRegistry
from rq.job import Job
from rq.queue import EnqueueData
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from service.keys import APPLY_JOB, DRAIN_JOB, QUEUE, REPLAY_JOB, REPLAY_QUEUE
from service.log.index import INDEXED_ID

QUEUE_KEY = f"{Queue.redis_queue_namespace_prefix}{QUEUE}"
"""RQ's list of waiting job ids; its length says whether the bell has been rung."""

REPLAY_QUEUE_KEY = f"{Queue.redis_queue_namespace_prefix}{REPLAY_QUEUE}"
"""The list of jobs that wait until no event does: the workers look into this queue last."""

FAILED_JOBS_KEY = FailedJobRegistry.key_template.format(QUEUE)
"""RQ's registry of failed jobs: the dead letters, as its own tools show them."""

OLDEST_STORE = (7, 0, 0)
"""Told to RQ, which would ask the store at each enqueue, and cannot on a pipeline."""

JOB_TIMEOUT_SECONDS = 15
"""A drain works some five seconds and then rings again; one that takes thrice as long hangs."""

SILENT_SECONDS = 2 * JOB_TIMEOUT_SECONDS
"""A worker silent for this long is dead: its heart beats every few seconds, but not in a job."""

RESULT_TTL_SECONDS = 60
"""Not 0: RQ 3.0 ends a job that was run again after its worker's death as a false failure then."""

DRAIN_RETRIES = 3
"""At once each time. Without any, a drain whose worker was killed would lie there as a failure."""

APPLY_RETRY_SECONDS = (1, 5, 15, 60, 300)
"""Store hiccups pass within seconds, a deployment within minutes; what is left is a dead letter."""

QUIET_SECONDS = 0.02
"""A commit this long after the last finds the queue as the last left it: an idle worker has long
taken the job, a busy one has not."""

FAILURE_TTL_SECONDS = 365 * 24 * 3600
"""A dead letter waits for a person."""


def queue(
    connection: redis.Redis, name: str = QUEUE, *, job_class: type[Job] | None = None
) -> Queue:
    """Return a queue of our jobs. JSON, for pickle would run whatever the store holds.

    Who takes jobs from it says by which class they are read.
    """
    jobs = Queue(name, connection=connection, job_class=job_class, serializer=JSONSerializer)
    jobs.redis_server_version = OLDEST_STORE
    return jobs


def ring(connection: redis.Redis) -> None:
    """Enqueue a drain job; on a pipeline the commands wait there for its execute."""
    _enqueue(connection, _doorbell(DRAIN_JOB))


def ring_replay(connection: redis.Redis) -> None:
    """Enqueue a replay job, unless one waits that will see all there is by then."""
    if not connection.llen(REPLAY_QUEUE_KEY):
        _enqueue(connection, _doorbell(REPLAY_JOB), REPLAY_QUEUE)


def can_have_job(event_id: str) -> bool:
    """Tell whether a job can be named so; what has no such id we have not accepted."""
    return bool(INDEXED_ID.fullmatch(event_id))


def forget_job(connection: redis.Redis, event_id: str) -> None:
    """Take the job of an event away, also from RQ's own list of failures."""
    if not can_have_job(event_id):
        return
    connection.zrem(FAILED_JOBS_KEY, event_id)
    with contextlib.suppress(NoSuchJobError):
        Job.fetch(event_id, connection=connection, serializer=JSONSerializer).delete()


def enqueue_apply(connection: redis.Redis, event_id: str) -> None:
    """Enqueue the job of one event that failed, to be tried again with growing pauses.

    Its key is known to whoever knows the event, so nothing that lies there may be in the way.
    """
    connection.zrem(FAILED_JOBS_KEY, event_id)  # where an earlier job of it may lie
    connection.delete(Job.key_for(event_id), ExecutionRegistry.key_template.format(event_id))
    _enqueue(
        connection,
        Queue.prepare_data(
            APPLY_JOB,
            args=(event_id,),
            job_id=event_id,
            timeout=JOB_TIMEOUT_SECONDS,
            result_ttl=RESULT_TTL_SECONDS,
            failure_ttl=FAILURE_TTL_SECONDS,
            retry=Retry(max=len(APPLY_RETRY_SECONDS), interval=list(APPLY_RETRY_SECONDS)),
        ),
    )


def ring_commands() -> list[tuple[Any, ...]]:
    """Return the commands of ring, for a transaction of the web's asyncio client."""
    pipe = _UNCONNECTED.pipeline()
    ring(pipe)
    return [command for command, _ in pipe.command_stack]


class Bell:
    """Knows, for one process that appends, which of its commits must carry a ring.

    The append script says how many jobs waited. One that waits starts later and sees all there is
    by then; where none does, a ring is owed. It goes with the next commit if that is ready, else
    by itself. A lone event after a quiet spell, when nothing waited the last time, most likely
    finds nothing waiting either: its ring goes in its own transaction, one sync to disk for both.
    If that guess was wrong, one needless job is the cost, and the next lone event does not guess.
    What a crash leaves unrung, the workers' own sweep finds.
    """

    def __init__(self) -> None:
        self.owed = False
        """Events lie in the log and no job waits for them."""
        self._uncertain = False
        self._was_quiet = False
        self._heard_at = 0.0

    def due(self, *, alone: bool) -> bool:
        """Say whether the commit about to be made carries a ring; `alone`: it is of one event."""
        quiet = self._was_quiet and time.monotonic() - self._heard_at > QUIET_SECONDS
        return self.owed or self._uncertain or (alone and quiet)

    def heard(self, *, waiting: int, appended: bool, rung: bool) -> None:
        """Note what a commit found: the jobs waiting before its own ring, and if it rang."""
        self.owed = appended and waiting == 0 and not rung
        self._uncertain = self._uncertain and not rung
        self._was_quiet = waiting == 0
        self._heard_at = time.monotonic()

    def failed(self) -> None:
        """Note a commit without a reply: it may have appended, so the next one rings."""
        self.owed = False
        self._uncertain = True


def _doorbell(job: str) -> EnqueueData:
    return Queue.prepare_data(
        job,
        timeout=JOB_TIMEOUT_SECONDS,
        result_ttl=RESULT_TTL_SECONDS,
        failure_ttl=FAILURE_TTL_SECONDS,
        retry=Retry(max=DRAIN_RETRIES),
    )


def _enqueue(connection: redis.Redis, job: EnqueueData, name: str = QUEUE) -> None:
    pipe = connection if isinstance(connection, Pipeline) else connection.pipeline()
    queue(connection, name).enqueue_many([job], pipeline=pipe)
    if pipe is not connection:
        pipe.execute()


_UNCONNECTED = redis.Redis()
"""Never connects: RQ writes its commands on a pipeline, and a pipeline needs a client."""
