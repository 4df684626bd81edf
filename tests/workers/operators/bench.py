"""A store at which things happen: events accepted and drained as web and worker do it."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from service import doorbell, sealing
from service.event import Event, read_event
from service.keys import LOG
from service.log import event_log
from service.log.entry import new_entry, read_entry
from service.projection import Projection
from service.settings import Settings
from workers import draining, jobs
from workers.algebra.facts import Facts
from workers.failures import EventFailedError
from workers.handlers import facts_of
from workers.operators.desk import Desk, open_desk

KEY, OLD_KEY = (b64encode(bytes([number]) * 32).decode() for number in (1, 2))
"""Encryption keys."""


class Bench:
    """A desk, and what makes something happen that it can be asked about."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.log = desk.log

    def accept(self, *bodies: bytes) -> None:
        """Append events as the web does."""
        self.log.script_load(event_log.APPEND_SCRIPT)
        events = [read_event(body) for body in bodies]
        entries = [
            new_entry(event, body)
            for event, body in zip(events, bodies, strict=True)
            if isinstance(event, Event)
        ]
        command = event_log.append_command(entries, doorbell.QUEUE_KEY)
        execute: Any = self.log.execute_command
        execute(*command)

    def drain(self) -> dict[str, int]:
        """Apply what is pending as a worker does."""
        return dict(draining.drain(self.log, self.desk.projection))

    def try_again(self, event_id: str) -> None:
        """Run the job of an event that has failed."""
        try:
            jobs.apply(event_id)
        except EventFailedError:
            return

    def work(self) -> None:
        """Run every job that waits, as a worker of RQ's does."""
        client = self.stranger()
        queue = doorbell.queue(client)
        worker = SimpleWorker([queue], connection=client, serializer=JSONSerializer)
        worker.work(burst=True, logging_level="CRITICAL")

    def event_ids(self) -> list[str]:
        """Return the id of every event in the log, oldest first."""
        return [read_entry(item).id for item in msgspec.convert(self.log.xrange(LOG), list[Any])]

    def stranger(self) -> redis.Redis:
        """Return another client."""
        return redis.Redis.from_url(self.desk.settings.redis_url)

    @property
    def projection(self) -> Projection:
        return self.desk.projection


class Handlers:
    """The handlers of a bad release, until they are mended."""

    def __init__(self) -> None:
        self.broken = False
        self.says = "this release is bad: zoe@example.org"
        self.sound = facts_of

    def facts_of(self, event: Event) -> Facts:
        if self.broken:
            raise RuntimeError(self.says)
        return self.sound(event)


@contextmanager
def bench_on(
    url: str, keys: tuple[str, ...] = (), *, drop_fields: tuple[str, ...] = ()
) -> Iterator[Bench]:
    """Open one on a store, with these encryption keys in force and these fields dropped."""
    settings = Settings(redis_url=url, drop_fields=drop_fields, encryption_keys=keys)
    with open_desk(settings) as desk:
        yield Bench(desk)
    sealing.use(())


@contextmanager
def bench_at_work(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Open one on a store of which jobs that run in this process make their own as well."""
    monkeypatch.setattr(jobs, "_stores", None)
    monkeypatch.setenv("REDIS_URL", url)
    with bench_on(url) as made:
        yield made
