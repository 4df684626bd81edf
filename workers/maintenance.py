"""What every worker does every few seconds: ring for what a death left behind, trim the log."""

import time

import redis
import structlog
from rq.registry import ScheduledJobRegistry
from rq.scheduler import RQScheduler

from service import doorbell, retention
from service.backlog import backlog
from service.keys import QUEUE
from workers import retries
from workers.watch import Watch

RING_MILLISECONDS = 3_000
"""Pending this long while no job waits: whoever should have rung for it is dead."""

TRIM_EVERY_SECONDS = 60
DAY_MILLISECONDS = 24 * 3600 * 1000

log = structlog.get_logger()


def ring_for_pending(client: redis.Redis, rq_client: redis.Redis, watch: Watch) -> None:
    """Enqueue a drain job when events are pending and none waits."""
    behind = backlog(client)
    old_ms = max(behind.oldest_ms or 0, watch.still_seconds(behind) * 1000)
    if behind.pending and old_ms >= RING_MILLISECONDS and doorbell.queue(rq_client).count == 0:
        doorbell.ring(rq_client)
        log.info("doorbell.rung", pending=behind.pending, oldest_ms=behind.oldest_ms)


def enqueue_lost_retries(client: redis.Redis) -> None:
    """Enqueue anew what should have been tried again and was lost with its worker.

    What has been lost so too often is a dead letter: it may be what kills the workers.
    """
    for entry_id, retry in retries.overdue(client):
        if retries.spent(retry):
            retries.write(client, entry_id, retries.failed(retry, retries.INTERRUPTED, final=True))
            log.warning("event.failed", event_id=retry.event, reason=retries.INTERRUPTED)
            continue
        with client.pipeline(transaction=True) as pipe:
            retries.write(pipe, entry_id, retries.postponed(retry))
            doorbell.enqueue_apply(pipe, retry.event)
            pipe.execute()
        log.warning("event.requeued", event_id=retry.event, attempts=len(retry.attempts))


def enqueue_scheduled(rq_client: redis.Redis) -> None:
    """Enqueue the jobs whose time has come: RQ's scheduler without a process of its own.

    Two workers doing it at once enqueue a job twice, which applies an event twice: no harm.
    """
    queue = doorbell.queue(rq_client)
    if ScheduledJobRegistry(queue=queue).count:  # type: ignore[no-untyped-call]
        scheduler = RQScheduler([queue], rq_client, serializer=queue.serializer)
        scheduler.prepare_registries([QUEUE])
        scheduler.enqueue_scheduled_jobs()  # type: ignore[no-untyped-call]


class Trimmer:
    """Trims the log to its retention, a piece at a time, once a minute."""

    def __init__(self, retention_days: int) -> None:
        self._age = retention_days * DAY_MILLISECONDS
        self._start = "-"
        self._due = 0.0

    def run(self, client: redis.Redis) -> None:
        """Trim one piece, when it is time."""
        if time.monotonic() < self._due:
            return
        trimmed = retention.trim(client, self._age, start=self._start)
        self._start = trimmed.next_start or "-"
        if trimmed.next_start is None:
            self._due = time.monotonic() + TRIM_EVERY_SECONDS
        if trimmed.removed:
            log.info("log.trimmed", removed=trimmed.removed)
