"""The worker process: RQ's SimpleWorker, with the maintenance that makes it heal by itself."""

import gc
import logging
import os
import secrets
import socket
from types import FrameType
from typing import Any

import redis
import structlog
from rq import SimpleWorker, worker_registration
from rq.job import Job
from rq.serializers import JSONSerializer

from service import doorbell, sealing
from service.keys import QUEUE, REPLAY_QUEUE
from service.log import event_log
from service.settings import Settings
from service.watch import logs
from workers import draining, jobs, maintenance
from workers.asking import resolving
from workers.event_job import EventJob
from workers.failures import EventFailedError, unworded
from workers.watch import Watch

MAINTENANCE_SECONDS = 2
WORKER_TTL_SECONDS = 17
"""RQ blocks for this less 15 seconds while it is idle, and does no maintenance meanwhile."""

JOB_GRACE_SECONDS = 2
"""A job is taken for dead this long after its time-out. RQ's own minute would be too long."""

YOUNG_OBJECTS = 50_000
"""How many new ones make Python look for garbage; two rounds make as many, and nearly none of them
refers to itself. Looking at each 700, as is usual, costs a tenth of the worker's time."""

log = structlog.get_logger()


class EventWorker(SimpleWorker):
    """Runs jobs in its own process: they trust each other, and a fork costs more than a job."""

    def __init__(self, *args: Any, stores: jobs.Stores, settings: Settings, **kwargs: Any) -> None:  # noqa: ANN401 - RQ's own
        super().__init__(*args, **kwargs)
        self._stores = stores
        self.told_to_stop = False
        self._watch = Watch()
        self._trimmer = maintenance.Trimmer(settings.retention_days)
        self._resolver = resolving.Resolver(settings)
        self._rechecker = maintenance.Rechecker()

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

    def run_maintenance_tasks(self) -> None:
        """Ring for what was left behind; then do what RQ does."""
        try:
            worker_registration.register(self)
            self._watch.age_claims(self._stores.log, draining.STUCK_MILLISECONDS)
            maintenance.ring_for_pending(self._stores.log, self.connection, self._watch)
            maintenance.ring_for_replays(self._stores.log)
            maintenance.enqueue_scheduled(self.connection)
            maintenance.enqueue_lost_retries(self._stores.log)
            self._trimmer.run(self._stores.log)
            self._resolver.run(self._stores.log)
            self._rechecker.run(self._stores.log, self._stores.projection)
        except redis.RedisError as error:
            log.warning("maintenance.interrupted", reason=type(error).__name__)
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]


def run(settings: Settings) -> None:
    """Work until told to stop; the job at hand is finished first.

    Raises:
        SystemExit: told twice to stop, or the store stayed away; a supervisor starts it again.

    """
    logs.configure(fmt=settings.log_format, level=settings.log_level, secrets=settings.secrets)
    try:
        stores = jobs.open_stores(settings)
        event_log.ensure_group(stores.log)
    except redis.RedisError as error:
        log.error("store.away", reason=type(error).__name__, advice="start it, then this again")  # noqa: TRY400 - a sentence, not a traceback
        raise SystemExit(1) from None
    connection = redis.Redis.from_url(settings.redis_url)
    worker = EventWorker(
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
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    log.info("worker.ready", worker=worker.name)
    logging.getLogger("rq.worker").addFilter(_told_already)
    worker.work(logging_level="DEBUG" if settings.log_level == "debug" else "WARNING")
    if not worker.told_to_stop:
        log.error("worker.died", worker=worker.name, advice="its supervisor starts it again")
        raise SystemExit(1)
    log.info("worker.stopped", worker=worker.name)


def _told_already(record: logging.LogRecord) -> bool:
    """Leave out RQ's traceback of an event that failed: a line of ours says so, and RQ keeps it."""
    return EventFailedError.__name__ not in record.getMessage()
