"""The worker: RQ's SimpleWorker, which heals by itself and believes nothing of what it reads."""

import os
import secrets
import socket
from types import FrameType
from typing import Any

import redis
import structlog
from rq import Queue, SimpleWorker, worker_registration
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now

from service import doorbell, sealing
from service.keys import QUEUE, REPLAY_QUEUE
from service.settings import Settings
from workers import jobs, litter
from workers.event_job import EventJob, shown
from workers.failures import unworded
from workers.housekeeping import ENDS, Housekeeping, may_be_shown

MAINTENANCE_SECONDS = 2
WORKER_TTL_SECONDS = 17
"""RQ blocks for this less 15 seconds while it is idle, and does no maintenance meanwhile."""

JOB_GRACE_SECONDS = 2
"""A job is taken for dead this long after its time-out. RQ's own minute would be too long."""

log = structlog.get_logger()


class EventWorker(SimpleWorker):
    """Runs jobs in its own process: they trust each other, and a fork costs more than a job."""

    def __init__(self, *args: Any, stores: jobs.Stores, settings: Settings, **kwargs: Any) -> None:  # noqa: ANN401 - RQ's own
        super().__init__(*args, **kwargs)
        self.told_to_stop = False
        self._housekeeping = Housekeeping(
            stores, self.connection, settings, register=lambda: worker_registration.register(self)
        )

    def register_birth(self) -> None:
        """Make itself known, whatever lies where workers are listed."""
        litter.set_aside(self.connection)
        super().register_birth()  # type: ignore[no-untyped-call]

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Note that it was told to stop: every other end is a death."""
        self.told_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002 - RQ's signature
        """Return how long a job may be silent, in seconds, before it is taken for dead."""
        return int(job.timeout or doorbell.JOB_TIMEOUT_SECONDS) + JOB_GRACE_SECONDS

    def subscribe(self) -> None:
        """Take no orders from the store: a signal stops a worker, and nothing else does."""

    def clean_group_registries(self) -> None:
        """Do nothing: our jobs form no groups."""

    def handle_exception(self, job: Job, *exc_info: Any) -> None:  # noqa: ANN401 - RQ's own
        """Die when memory is out: nothing this process does can be trusted any more.

        It is as if the kernel had killed it: its supervisor starts it again, and what it has
        claimed is taken over. Of any other error RQ keeps the traceback in the clear: where what is
        stored is encrypted it must not say what the error said, which may quote an event.
        """
        if isinstance(exc_info[1], MemoryError):
            log.error("worker.died", worker=self.name, reason="MemoryError")
            os._exit(1)
        super().handle_exception(job, *exc_info)
        if sealing.current.key_id:
            unworded(exc_info[1])

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Return the next job, past whatever is none: RQ's own worker would end at that."""
        while True:
            try:
                return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
            except UnicodeDecodeError as error:
                log.warning("job.unreadable", job=shown(error.object), reason="no id")
            except redis.ResponseError:
                if not litter.mistyped(self.connection):
                    raise
                litter.set_aside(self.connection)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run a job; when RQ itself stumbles over what it says, go on with the next.

        Nothing is lost with it: what it rang for is pending, and what it was to try again overdue.
        """
        try:
            super().execute_job(job, queue)
        except ENDS:
            raise
        except Exception as error:
            told = {"job": job.id, "reason": type(error).__name__}
            log.exception("job.dropped", **told, exc_info=may_be_shown(error))
            self.executions.clear()
            self.connection.delete(job.key)

    def run_maintenance_tasks(self) -> None:
        """Ring for what was left behind and keep house; then do what RQ does."""
        self._housekeeping.run()
        self._housekeeping.attempt("registries", super().run_maintenance_tasks)

    def clean_registries(self) -> None:
        """Look after abandoned jobs and dead workers as RQ does, one worker at a time.

        RQ would look through the registries of jobs that depend on each other, too, and through
        its intermediate queue; ours never come into any of these.
        """
        for queue in self.queues:
            if queue.acquire_maintenance_lock():
                try:
                    for registry in litter.REGISTRIES:
                        registry(queue=queue, job_class=EventJob).cleanup()
                    worker_registration.clean_worker_registry(queue)
                finally:
                    queue.release_maintenance_lock()  # type: ignore[no-untyped-call]
        self.last_cleaned_at = now()  # type: ignore[assignment] # RQ begins with None


def worker_on(connection: redis.Redis, stores: jobs.Stores, settings: Settings) -> EventWorker:
    """Return a worker of both queues; RQ has the connection for itself, and changes it."""
    return EventWorker(
        [doorbell.queue(connection, name, job_class=EventJob) for name in (QUEUE, REPLAY_QUEUE)],
        name=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}",
        connection=connection,
        serializer=JSONSerializer,
        job_class=EventJob,
        maintenance_interval=MAINTENANCE_SECONDS,
        worker_ttl=WORKER_TTL_SECONDS,
        stores=stores,
        settings=settings,
    )
