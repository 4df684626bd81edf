"""What /healthz and /readyz say of the store and the workers."""

import asyncio
import time
from typing import TYPE_CHECKING

import structlog
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from service import doorbell
from service.log.backlog import Backlog
from service.stores import Durability, ProjectionStore, connect_async
from service.web.health import Health
from service.web.problems import EventStore, problems
from tests.flow.conftest import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.conftest import Store
    from tests.service.web.conftest import Web

SAFE = Durability(appendonly="yes", appendfsync="always", maxmemory_policy="noeviction")
IDLE = Backlog(untaken=0, taken=0, oldest_ms=None, failing=0)


def told(durability: Durability = SAFE, *, workers: int = 1, backlog: Backlog = IDLE) -> list[str]:
    return problems(EventStore(durability, workers, backlog), projection_reachable=True)


def test_alive_needs_no_store_and_no_key(
    own_store: "Store", serving: "Callable[[Store], AbstractContextManager[Web]]"
) -> None:
    own_store.kill()
    with serving(own_store) as web:
        reply = web.ask("/healthz", key="")
        assert (reply.status, reply.json) == (200, {"status": "alive"})


def test_a_store_that_is_away_at_the_start_is_told_in_the_log_with_what_to_do(
    own_store: "Store",
    serving: "Callable[[Store], AbstractContextManager[Web]]",
) -> None:
    own_store.kill()
    with structlog.testing.capture_logs() as lines, serving(own_store):
        told = eventually(lambda: [line for line in lines if line["event"] == "web.problem"])
    assert {line["log_level"] for line in told} == {"warning"}
    assert any("event log's store does not answer" in line["says"] for line in told)


def test_a_store_that_is_there_is_nothing_to_tell(web: "Web") -> None:
    async def look() -> None:
        projection = ProjectionStore(web.store.url)
        async with connect_async(web.store.url) as events:
            await Health(events, projection.find).tell_what_is_away()
        await projection.aclose()

    with structlog.testing.capture_logs() as lines:
        asyncio.run(look())
    assert lines == []


def test_ready_tells_what_the_store_really_does(web: "Web") -> None:
    reply = web.ask("/readyz", key="")
    assert reply.status == 200
    assert reply.json == {
        "ready": True,
        "store": {
            "reachable": True,
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory_policy": "noeviction",
        },
        "projection": {"reachable": True},
        "workers": {"alive": 0},
        "backlog": {"pending": 0, "oldest_seconds": None, "failing": 0},
        "problems": [
            "No worker is alive: events are kept but not applied. Start one: onfile worker."
        ],
    }


def test_a_worker_on_our_queue_is_counted_while_its_key_lives(web: "Web") -> None:
    with web.store.client() as client:
        worker = SimpleWorker(
            [doorbell.queue(client)], connection=client, serializer=JSONSerializer
        )
        worker.register_birth()  # type: ignore[no-untyped-call]
        client.sadd("rq:workers:events", "rq:worker:killed_and_expired")
        reply = web.ask("/readyz").json
        assert reply["workers"] == {"alive": 1}
        assert reply["problems"] == []


def test_a_worker_whose_heart_stopped_is_not_counted(web: "Web") -> None:
    with web.store.client() as client:
        worker = SimpleWorker(
            [doorbell.queue(client)], connection=client, serializer=JSONSerializer
        )
        worker.register_birth()  # type: ignore[no-untyped-call]
        client.hset(worker.key, "last_heartbeat", "2026-01-01T00:00:00.000000Z")
        assert web.ask("/readyz").json["workers"] == {"alive": 0}


def test_a_store_that_takes_no_writes_is_not_ready(web: "Web") -> None:
    with web.store.client() as client:
        client.config_set("maxmemory", 1)
        try:
            reply = web.ask("/readyz")
        finally:
            client.config_set("maxmemory", 0)
    assert (reply.status, reply.json["ready"]) == (503, False)
    assert "takes no writes" in reply.json["problems"][0]


def test_what_waits_is_counted_with_its_age(web: "Web") -> None:
    long_ago = int(time.time() * 1000) - 100_000
    with web.store.client() as client:
        client.xadd("onfile:log", {"id": "evt_1"}, id=f"{long_ago}-0")
    reply = web.ask("/readyz").json
    assert reply["backlog"]["pending"] == 1
    assert 100 <= reply["backlog"]["oldest_seconds"] < 110
    assert any("waiting for 100 seconds" in problem for problem in reply["problems"])


def test_without_its_store_it_is_not_ready_and_says_so_in_time(
    own_store: "Store", serving: "Callable[[Store], AbstractContextManager[Web]]"
) -> None:
    with serving(own_store) as web:
        own_store.kill()
        began = time.monotonic()
        reply = web.ask("/readyz")
        assert time.monotonic() - began < 2
        assert reply.status == 503
        assert reply.json["ready"] is False
        assert reply.json["workers"] == {"alive": None}
        assert reply.json["backlog"] is None
        assert len(reply.json["problems"]) == 2
        own_store.start()
        assert web.ask("/readyz").status == 200


def test_nothing_wrong_is_no_problem() -> None:
    assert told() == []


def test_every_way_of_losing_events_is_a_problem_with_its_cure() -> None:
    lossy = Durability(appendonly="no", appendfsync="always", maxmemory_policy="noeviction")
    slow = Durability(appendonly="yes", appendfsync="everysec", maxmemory_policy="noeviction")
    evicting = Durability(appendonly="yes", appendfsync="always", maxmemory_policy="allkeys-lru")
    hidden = Durability(appendonly="unknown", appendfsync="unknown", maxmemory_policy="unknown")
    assert ["keeps no append-only file" in one for one in told(lossy)] == [True]
    assert ["appendfsync is everysec" in one for one in told(slow)] == [True]
    assert ["maxmemory-policy is allkeys-lru" in one for one in told(evicting)] == [True]
    assert ["does not say" in one for one in told(hidden)] == [True]


def test_events_that_fail_or_wait_too_long_are_problems() -> None:
    failing = Backlog(untaken=0, taken=0, oldest_ms=None, failing=3)
    assert [one[:15] for one in told(backlog=failing)] == ["3 events failed"]
    waiting = Backlog(untaken=1, taken=0, oldest_ms=31_000, failing=0)
    assert ["waiting for 31 seconds" in one for one in told(backlog=waiting)] == [True]
    fresh = Backlog(untaken=1, taken=0, oldest_ms=29_000, failing=0)
    assert told(backlog=fresh) == []
