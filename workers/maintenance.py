"""What every worker does every few seconds: ring for what waits unheard, keep house."""

import time

import redis
import structlog
from rq.registry import ScheduledJobRegistry

from service import doorbell
from service.keys import OVERCOME
from service.log import event_log, replay_queue, retention, standing
from service.log.backlog import backlog
from service.projection import Projection
from workers import doubts, retries
from workers.event_job import EventJob
from workers.watch import Watch

RING_MILLISECONDS = 3_000
"""Pending this long while no job waits: whoever should have rung for it is dead."""

TRIM_EVERY_SECONDS = 60
TRIM_SECONDS = 0.2
"""How long to trim at a time: some five thousand entries, more than come in between."""

RECHECK_EVERY_SECONDS = 60
DAY_MILLISECONDS = 24 * 3600 * 1000

log = structlog.get_logger()


def ring_for_pending(client: redis.Redis, rq_client: redis.Redis, watch: Watch) -> None:
    """Enqueue a drain job when events are pending and none waits."""
    behind = backlog(client)
    old_ms = max(behind.oldest_ms or 0, watch.still_seconds(behind) * 1000)
    if behind.pending and old_ms >= RING_MILLISECONDS and doorbell.queue(rq_client).count == 0:
        doorbell.ring(rq_client)
        log.info("doorbell.rung", pending=behind.pending, oldest_ms=behind.oldest_ms)


def ring_for_replays(client: redis.Redis) -> None:
    """Enqueue a replay job when entries are to be applied again and none waits.

    Also when another worker is at it: one that has nothing else to do may help.
    """
    if replay_queue.waiting(client):
        doorbell.ring_replay(client)


def enqueue_lost_retries(client: redis.Redis) -> None:
    """Enqueue anew what should have been tried again and was lost with its worker.

    An entry that was erased while a worker failed at it has nothing to be tried: it is done with.
    What has been lost so too often is a dead letter: it may be what kills the workers.
    """
    overdue = dict(retries.overdue(client))
    kept = {entry.entry_id for entry in event_log.fetch(client, list(overdue))}
    if erased := list(overdue.keys() - kept):
        standing.settle(client, erased)
        client.hdel(OVERCOME, *erased)
        log.warning("event.erased_meanwhile", entries=len(erased))
    for entry_id, retry in overdue.items():
        if entry_id not in kept:
            continue
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
    queue = doorbell.queue(rq_client, job_class=EventJob)
    registry = ScheduledJobRegistry(queue=queue)  # type: ignore[no-untyped-call]
    for job_id in registry.get_jobs_to_schedule():
        job = queue.fetch_job(job_id)
        with rq_client.pipeline() as pipe:
            if job:
                queue.enqueue_job(job, pipeline=pipe)
            registry.remove(job_id, pipeline=pipe)
            pipe.execute()


class Trimmer:
    """Trims the log to its retention, once a minute and for a moment at a time."""

    def __init__(self, retention_days: int) -> None:
        self._age = retention_days * DAY_MILLISECONDS
        self._start = "-"
        self._due = 0.0

    def run(self, client: redis.Redis) -> None:
        """Trim for a moment, when it is time; what is left then is for the next call."""
        if time.monotonic() < self._due:
            return
        removed, give_up = 0, time.monotonic() + TRIM_SECONDS
        while time.monotonic() < give_up:
            trimmed = retention.trim(client, self._age, start=self._start)
            removed += trimmed.removed
            self._start = trimmed.next_start or "-"
            if trimmed.next_start is None:
                self._due = time.monotonic() + TRIM_EVERY_SECONDS
                break
        if removed:
            log.info("log.trimmed", removed=removed)


class Rechecker:
    """Looks through the notes of ambiguous answers, some of them once a minute."""

    def __init__(self) -> None:
        self._cursor = 0
        self._due = 0.0

    def run(self, client: redis.Redis, projection: Projection) -> None:
        """Take away what is decided by now, when it is time."""
        if time.monotonic() < self._due:
            return
        self._cursor = doubts.recheck(client, projection, self._cursor)
        self._due = time.monotonic() + RECHECK_EVERY_SECONDS
