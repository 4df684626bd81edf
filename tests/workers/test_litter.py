"""What others write into RQ's keys: no worker stumbles over it, and a person is told."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import redis
from rq.suspension import resume, suspend
from structlog.testing import capture_logs

from service import doorbell
from service.keys import COUNTERS, FOREIGN
from service.settings import Settings
from tests.workers.notation import added, created
from tests.workers.operators.bench import Bench, bench_at_work
from workers import jobs, litter, maintenance
from workers.event_worker import EventWorker, worker_on
from workers.operators.doctor import examine
from workers.watch import Watch

if TYPE_CHECKING:
    from tests.conftest import Store

NONSENSE = [b"\xff\xfe", b"x" * 2**20, b"a b\n"]


@pytest.fixture
def bench(store: "Store", monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_at_work(store.url, monkeypatch) as made:
        yield made


@pytest.fixture
def client(bench: Bench) -> Iterator[redis.Redis]:
    with bench.stranger() as client:
        yield client


def worker_of(bench: Bench, client: redis.Redis) -> EventWorker:
    stores = jobs.Stores(bench.log, bench.projection)
    return worker_on(client, stores, Settings(redis_url="redis://x"))


def write_wrong(client: redis.Redis, key: str) -> None:
    client.delete(key)
    client.set(key, "x")


def finding(bench: Bench) -> tuple[str, str]:
    [found] = [one for one in examine(bench.desk) if one.check == "queue"]
    return found.level, found.says


@pytest.mark.parametrize("while_it_works", [True, False])
@pytest.mark.parametrize("key", litter.TYPES)
def test_a_key_of_another_type_is_laid_aside_and_events_are_applied(
    bench: Bench, client: redis.Redis, key: str, *, while_it_works: bool
) -> None:
    worker = worker_of(bench, client) if while_it_works else None
    write_wrong(client, key)
    assert finding(bench)[0] == "trouble"
    bench.accept(created("A", 1), added("B", 2))
    worker = worker or worker_of(bench, client)
    worker.work(burst=True, logging_level="CRITICAL")
    jobs.drain()
    assert bench.log.hget(COUNTERS, "applied") == b"2"
    assert not litter.mistyped(client)
    assert client.exists(FOREIGN + key)
    level, says = finding(bench)
    assert (level, FOREIGN + key in says) == ("trouble", True)
    client.delete(FOREIGN + key)
    assert finding(bench) == ("ok", "The queue holds what belongs there.")


def test_the_key_of_the_queue_itself_does_not_turn_deliveries_away(bench: Bench) -> None:
    write_wrong(bench.log, "rq:queue:events")
    bench.accept(created("A", 1))
    assert bench.event_ids()


@pytest.mark.parametrize("key", [key for key, kind in litter.TYPES.items() if kind == "zset"])
def test_what_is_no_id_among_ids_holds_up_no_worker_and_goes(
    bench: Bench, client: redis.Redis, key: str
) -> None:
    client.zadd(key, dict.fromkeys(NONSENSE, 1) | {b"ours": 4e9, b"ours:12ab": 4e9})
    bench.accept(created("A", 1))
    doorbell.ring(client)
    worker_of(bench, client).work(burst=True, logging_level="CRITICAL")
    assert bench.log.hget(COUNTERS, "applied") == b"1"
    assert {b"ours", b"ours:12ab"} <= set(client.zrange(key, 0, -1))
    assert not set(NONSENSE) & set(client.zrange(key, 0, -1))


def test_what_is_no_worker_among_workers_is_struck_off(bench: Bench, client: redis.Redis) -> None:
    workers = "rq:workers:events"
    client.set("rq:worker:text", "x")
    client.sadd(workers, *NONSENSE, "onfile:log", "rq:worker:text")
    with capture_logs() as logs:
        worker_of(bench, client).work(burst=True, logging_level="CRITICAL")
    assert not client.smembers(workers)
    assert [log["event"] for log in logs] == ["queue.dropped"] * 5
    assert max(len(log["member"]) for log in logs) < 200


def test_a_step_that_fails_holds_up_no_other(
    bench: Bench, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a bug")

    bench.accept(created("A", 1))
    monkeypatch.setattr(maintenance, "RING_MILLISECONDS", 0)
    monkeypatch.setattr(Watch, "age_claims", fail)
    with capture_logs() as logs:
        worker_of(bench, client).work(burst=True, logging_level="CRITICAL")
    assert {"event": "maintenance.failed", "step": "claims", "reason": "KeyError"}.items() <= {
        **next(log for log in logs if log["event"] == "maintenance.failed")
    }.items()
    assert bench.log.hget(COUNTERS, "applied") == b"1"


def test_the_doctor_tells_that_workers_are_suspended(bench: Bench, client: redis.Redis) -> None:
    suspend(client)
    assert finding(bench)[0] == "trouble"
    resume(client)
    assert finding(bench)[0] == "ok"
