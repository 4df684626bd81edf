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

from service import doorbell, event_log, logs
from service.settings import Settings
from workers import jobs, maintenance
from workers.failures import EventFailedError

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

    def __init__(self, *args: Any, stores: jobs.Stores, retention_days: int, **kwargs: Any) -> None:  # noqa: ANN401 - RQ's own
        super().__init__(*args, **kwargs)
        self._stores = stores
        self.told_to_stop = False
        self._trimmer = maintenance.Trimmer(retention_days)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Note that it was told to stop: every other end is a death."""
        self.told_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002 - RQ's signature
        """Return how long a job may be silent, in seconds, before it is taken for dead."""
        return int(job.timeout or doorbell.JOB_TIMEOUT_SECONDS) + JOB_GRACE_SECONDS

    def run_maintenance_tasks(self) -> None:
        """Ring for what was left behind; then do what RQ does."""
        try:
            worker_registration.register(self)
            maintenance.ring_for_pending(self._stores.log, self.connection)
            maintenance.enqueue_scheduled(self.connection)
            maintenance.enqueue_lost_retries(self._stores.log)
            self._trimmer.run(self._stores.log)
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
        [doorbell.queue(connection)],
        name=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}",
        connection=connection,
        serializer=JSONSerializer,
        maintenance_interval=MAINTENANCE_SECONDS,
        worker_ttl=WORKER_TTL_SECONDS,
        stores=stores,
        retention_days=settings.retention_days,
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
