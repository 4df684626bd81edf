"""The worker process: opens its stores, and works until it is told to stop."""

import gc
import logging

import redis
import structlog

from service.log import event_log
from service.settings import Settings
from service.stores import connect_patiently
from service.watch import logs
from workers import jobs
from workers.event_worker import worker_on
from workers.failures import EventFailedError

YOUNG_OBJECTS = 50_000
"""How many new ones make Python look for garbage; two rounds make as many, and nearly none of them
refers to itself. Looking at each 700, as is usual, costs a tenth of the worker's time."""

log = structlog.get_logger()


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
    worker = worker_on(connect_patiently(settings.redis_url), stores, settings)
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
