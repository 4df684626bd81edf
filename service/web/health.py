"""Whether this process lives, and how what it depends on is doing."""

import asyncio
from typing import Any

import msgspec
from redis.asyncio import Redis
from rq.worker_registration import WORKERS_BY_QUEUE_KEY
from starlette.requests import Request
from starlette.responses import Response

from service.backlog import backlog_async
from service.keys import QUEUE
from service.projection_reads import FindStore
from service.stores import AWAY, durability_async
from service.web.problems import EventStore, problems

PATIENCE_SECONDS = 1.5
"""A probe that hangs is worse than one that says no."""


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
        event_store, projection_reachable = await asyncio.gather(
            _look_at_events(self._event_store), _reachable(self._find_projection)
        )
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
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return EventStore(
                await durability_async(store),
                await _workers_alive(store),
                await backlog_async(store),
            )
    except AWAY:
        return None


async def _workers_alive(store: Redis) -> int:
    """Count RQ's workers on our queue; the key of one that was killed expires by itself."""
    workers = await store.smembers(WORKERS_BY_QUEUE_KEY % QUEUE)
    return int(await store.exists(*workers)) if workers else 0


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
