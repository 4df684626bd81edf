"""The intake: what arrives together is committed together, and a 200 waits for its commit.

One commit is in flight at a time; whatever arrives meanwhile is the next one. That alone makes
batches of about half the open connections under load, and lets an event that is alone wait for
nothing. Waiting on purpose for more was measured and made everything slower.
"""

import asyncio
from collections import deque
from typing import Literal, TypeAlias

import msgspec
import redis
import redis.asyncio
import structlog

from service import doorbell
from service.event import Event
from service.keys import IGNORED
from service.log.entry import NewEntry, new_entry
from service.log.event_log import APPEND_SCRIPT, Appended, append_command, read_appended
from service.stores import StoreAwayError
from service.watch.side_notes import SideNotes

Outcome: TypeAlias = Literal["accepted", "duplicate"]

BATCH_EVENTS = 500
BATCH_BYTES = 8 * 1024 * 1024
"""A script blocks the store while it runs; 500 events take it a few milliseconds."""

ROOM_EVENTS = 10_000
ROOM_BYTES = 64 * 1024 * 1024
"""Two seconds of full load; beyond that Stripe keeps the events better than our memory does."""

COMMIT_SECONDS = 1.5
"""For a whole commit with connecting and loading the script: 503 within 2 s is the promise."""

REPLICAS_MILLISECONDS = 500
"""A replica in the same region is behind by a few; within the store's time-out, as any reply."""

log = structlog.get_logger()


class ReplicasBehindError(redis.RedisError):
    """Too few replicas have the commit: a failover now could lose it."""


class Intake:
    """Takes events into the log; one for each web process, used from its event loop alone."""

    def __init__(self, client: "redis.asyncio.Redis", *, replicas: int = 0) -> None:
        """`client` must not repeat commands by itself (see stores.connect_async).

        So many `replicas` must have a commit before it counts.
        """
        self._client = client
        self._replicas = replicas
        self.notes = SideNotes(client)
        self._bell = doorbell.Bell()
        self._room: deque[_Waiting] = deque()
        self._room_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._store_away = False

    def accept(self, event: Event, body: bytes) -> "asyncio.Future[Outcome]":
        """Return what is done when the event is in the log and marked pending, or was before.

        Raises, now or then:
            StoreAwayError: it may or may not be; Stripe sends it again, and the log knows it then.

        """
        entry = new_entry(event, body)
        if len(self._room) >= ROOM_EVENTS or self._room_bytes + entry.size > ROOM_BYTES:
            raise StoreAwayError("the store is slower than the deliveries")
        outcome = asyncio.get_running_loop().create_future()
        self._room.append(_Waiting(entry, outcome))
        self._room_bytes += entry.size
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return outcome

    def count_ignored(self, event_type: str) -> None:
        """Count an event that is not projected and so not kept."""
        self.notes.count(IGNORED, {event_type: 1})

    async def close(self) -> None:
        """Commit what waits and write down the notes; closing the client is its maker's part."""
        if self._writer:
            await self._writer
        await self.notes.close()

    async def _write(self) -> None:
        """Commit, batch after batch, until nobody waits and no ring is owed."""
        try:
            while self._room or self._bell.owed:
                await self._commit(self._next_batch())
        finally:
            self._writer = None

    def _next_batch(self) -> "list[_Waiting]":
        batch: list[_Waiting] = []
        size = 0
        while self._room and len(batch) < BATCH_EVENTS:
            size += self._room[0].entry.size
            if batch and size > BATCH_BYTES:
                break
            batch.append(self._room.popleft())
        self._room_bytes -= sum(waiting.entry.size for waiting in batch)
        return batch

    async def _commit(self, batch: "list[_Waiting]") -> None:
        ring = self._bell.due(alone=len(batch) == 1)
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                appended = await self._send([waiting.entry for waiting in batch], ring=ring)
        except (redis.RedisError, OSError, TimeoutError) as error:
            self._bell.failed()
            self._turn_away(batch)
            self._note_store(away=True, error=type(error).__name__)
        except BaseException:
            self._turn_away(batch)
            raise
        else:
            self._bell.heard(waiting=appended.waiting, appended=any(appended.fresh), rung=ring)
            for waiting, fresh in zip(batch, appended.fresh, strict=True):
                waiting.settle("accepted" if fresh else "duplicate")
            self._note_store(away=False)

    async def _send(self, entries: list[NewEntry], *, ring: bool) -> Appended:
        """Send one commit: the script alone, or in one transaction with the ring.

        With nothing to append the script only counts the jobs that wait, which is as cheap.
        Replicas are waited for on the same connection, whose writes they must have; within a
        transaction nothing waits, so there the ring is not one step with the append.
        """
        async with self._client.pipeline(transaction=ring and not self._replicas) as pipe:
            pipe.execute_command(*append_command(entries, doorbell.QUEUE_KEY))
            for command in doorbell.ring_commands() if ring else ():
                pipe.execute_command(*command)
            if self._replicas:
                pipe.execute_command("WAIT", self._replicas, REPLICAS_MILLISECONDS)
            # raise_on_error would put the command, bodies and all, into the error's message
            replies = await pipe.execute(raise_on_error=False)
        for reply in replies:
            if isinstance(reply, redis.exceptions.NoScriptError):
                await self._client.script_load(APPEND_SCRIPT)
                return await self._send(entries, ring=ring)
            if isinstance(reply, Exception):
                raise reply
        if self._replicas and replies[-1] < self._replicas:
            raise ReplicasBehindError
        return read_appended(replies[0])

    def _turn_away(self, batch: "list[_Waiting]") -> None:
        """Let nobody wait for a second attempt: who came during the failed one leaves with it."""
        for waiting in (*batch, *self._room):
            waiting.turn_away()
        self._room.clear()
        self._room_bytes = 0

    def _note_store(self, *, away: bool, error: str = "") -> None:
        """Log the change, not each commit; the deliveries tell of themselves."""
        if away and not self._store_away:
            log.warning("store.down", error=error)
        elif self._store_away and not away:
            log.info("store.back")
        self._store_away = away


class _Waiting(msgspec.Struct, frozen=True):
    """A delivery that waits for its commit."""

    entry: NewEntry
    outcome: "asyncio.Future[Outcome]"

    def settle(self, outcome: Outcome) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    def turn_away(self) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(StoreAwayError("the store did not take it"))
