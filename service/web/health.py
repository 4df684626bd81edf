"""Whether this process lives, and how what it depends on is doing."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from rq.utils import utcparse
from rq.worker_registration import WORKERS_BY_QUEUE_KEY
from starlette.requests import Request
from starlette.responses import Response

from service import doorbell
from service.keys import PROBE, QUEUE
from service.log.backlog import backlog_async
from service.projection_reads import FindStore
from service.stores import AWAY, durability_async
from service.web.problems import EventStore, problems

PATIENCE_SECONDS = 1.5
"""A probe that hangs is worse than one that says no."""

PROBE_SECONDS = 60

log = structlog.get_logger()


class Health:
    """The two probes."""

    def __init__(self, event_store: Redis, find_projection: FindStore) -> None:
        self._event_store = event_store
        self._find_projection = find_projection

    async def alive(self, _request: Request) -> Response:
        """GET /healthz: the process answers; no store is asked."""
        return _answer(200, {"status": "alive"})

    async def ready(self, _request: Request) -> Response:
        """GET /readyz: 503 when events cannot be kept or queries not answered, else 200.

        That no worker lives or that they are behind is told here, and is no reason to take this
        process out of service: that would keep no event safer and answer no query better.
        """
        event_store, projection_reachable = await self._look()
        ready = event_store is not None and projection_reachable
        return _answer(
            200 if ready else 503,
            {
                "ready": ready,
                "store": _store_facts(event_store),
                "projection": {"reachable": projection_reachable},
                "workers": {"alive": event_store.workers if event_store else None},
                "backlog": _backlog_facts(event_store),
                "problems": problems(event_store, projection_reachable=projection_reachable),
            },
        )

    async def tell_what_is_away(self) -> None:
        """Log at the start what this process cannot do without; it goes on all the same."""
        event_store, projection_reachable = await self._look()
        if event_store is None or not projection_reachable:
            for says in problems(event_store, projection_reachable=projection_reachable):
                log.warning("web.problem", says=says)

    async def _look(self) -> tuple[EventStore | None, bool]:
        return await asyncio.gather(
            _look_at_events(self._event_store), _reachable(self._find_projection)
        )


def _store_facts(store: EventStore | None) -> dict[str, Any]:
    known = msgspec.structs.asdict(store.durability) if store else {}
    return {"reachable": store is not None, **known}


def _backlog_facts(store: EventStore | None) -> dict[str, Any] | None:
    if store is None:
        return None
    oldest_ms = store.backlog.oldest_ms
    return {
        "pending": store.backlog.pending,
        "oldest_seconds": None if oldest_ms is None else oldest_ms / 1000,
        "failing": store.backlog.failing,
    }


async def _look_at_events(store: Redis) -> EventStore | None:
    """Return None when the store does not answer, or takes no writes and so no events."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await store.set(PROBE, b"", ex=PROBE_SECONDS)
            return EventStore(
                await durability_async(store),
                await workers_alive(store),
                await backlog_async(store),
            )
    except (*AWAY, ResponseError):
        return None


async def workers_alive(store: Redis) -> int:
    """Count RQ's workers on our queue by their heartbeat: a killed one's key stays for a while."""
    workers = await store.smembers(WORKERS_BY_QUEUE_KEY % QUEUE)
    beats = [await store.hget(worker, "last_heartbeat") for worker in workers]
    latest = datetime.now(UTC) - timedelta(seconds=doorbell.SILENT_SECONDS)
    return sum(utcparse(beat.decode()) > latest for beat in beats if isinstance(beat, bytes))


async def _reachable(find_projection: FindStore) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await (await find_projection()).ping()
    except AWAY:
        return False
    return True


def _answer(status: int, facts: dict[str, Any]) -> Response:
    return Response(
        msgspec.json.encode(facts),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
