"""The queue as an input: whatever is written into it, a worker runs its own jobs or nothing."""

import json
import os
import pickle
import socket
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis
from rq import SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from service import doorbell, keys
from service.keys import APPLY_JOB, DRAIN_JOB
from service.settings import Settings
from tests.workers.operators.bench import Bench, bench_at_work
from workers import jobs
from workers.event_job import JOBS, EventJob
from workers.event_worker import EventWorker, worker_on

if TYPE_CHECKING:
    from tests.conftest import Store

    Fields = dict[str, bytes | str]
    Hostile = Callable[[Path], Fields]

EXAMPLES = Path(__file__).parents[1] / "data" / "examples"

OURS: tuple[Any, ...] = (None, [], {})
"""What follows the name in a call of ours."""

sprung: list[str] = []


def spring(*_: object) -> None:
    """Do harm, as a callback."""
    sprung.append("callback")


SPRING = f"{__name__}.spring"


class Pickled:
    """What runs as soon as it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def call(name: str, *rest: Any) -> bytes:
    return zlib.compress(json.dumps([name, *(rest or OURS)]).encode())


DANGEROUS: "dict[str, Hostile]" = {
    "a function": lambda trap: {"data": call("os.mkdir", None, [str(trap)], {})},
    "a function, not packed": lambda trap: {
        "data": json.dumps(["os.mkdir", None, [str(trap)], {}])
    },
    "a callback on success": lambda _: {"data": call(DRAIN_JOB), "success_callback_name": SPRING},
    "a callback on failure": lambda _: {
        "data": call("nobody.knows"),
        "failure_callback_name": SPRING,
    },
}
"""What RQ's own worker would do."""

HARMLESS_IN_JSON: "dict[str, Hostile]" = {
    "a pickled call": lambda trap: {"data": pickle.dumps(Pickled(trap))},
    "a pickled meta": lambda trap: {"data": call(DRAIN_JOB), "meta": pickle.dumps(Pickled(trap))},
    "a pickled result": lambda trap: {
        "data": call(DRAIN_JOB),
        "result": pickle.dumps(Pickled(trap)),
    },
    "a method of a value": lambda _: {"data": call("format", "x", ["y"], {})},
    "a private function of ours": lambda _: {
        "data": call("workers.jobs.open_stores", None, [], {})
    },
    "an endless retry": lambda _: {
        "data": call("nobody.knows"),
        "retries_left": "1000000000",
        "timeout": "1000000000",
    },
    "named arguments": lambda _: {"data": call(APPLY_JOB, None, [], {"event_id": "evt_1"})},
    "an argument that is no id": lambda _: {"data": call(APPLY_JOB, None, ["evt_1 or else"], {})},
    "an argument that is no text": lambda _: {"data": call(APPLY_JOB, None, [{"a": 1}], {})},
    "too many arguments": lambda _: {"data": call(APPLY_JOB, None, ["evt_1", "evt_2"], {})},
    "a list for a name": lambda _: {"data": call([DRAIN_JOB], None, [], {})},  # type: ignore[arg-type]
    "not a call": lambda _: {"data": zlib.compress(b'{"drain": true}')},
    "not JSON": lambda _: {"data": b"\x00\xff"},
    "no data": lambda _: {"description": "x"},
    "a bomb": lambda _: {"data": zlib.compress(bytes(50_000_000), 1)},
    "no moment": lambda _: {"data": call(DRAIN_JOB), "created_at": "yesterday"},
    "no number": lambda _: {"data": call(DRAIN_JOB), "timeout": "soon", "retries_left": "many"},
    "no status": lambda _: {"data": call(DRAIN_JOB), "status": "odd"},
    "a time beyond any clock": lambda _: {"data": call(DRAIN_JOB), "timeout": "1" + "0" * 30},
    "no time at all": lambda _: {"data": call(DRAIN_JOB), "timeout": "-1"},
    "a result for ever": lambda _: {"data": call(DRAIN_JOB), "result_ttl": "1" + "0" * 30},
    "a pause beyond any clock": lambda _: {
        "data": call("nobody.knows"),
        "retries_left": "9",
        "retry_intervals": "[1e300, 1000000000000000]",
    },
    "another queue": lambda _: {"data": call(DRAIN_JOB), "origin": "elsewhere"},
    "no text": lambda _: {"data": call(DRAIN_JOB), "origin": b"\xff", "description": b"\xff"},
    "dependencies": lambda _: {"data": call(DRAIN_JOB), "dependency_ids": '["x"'},
}

HOSTILE = DANGEROUS | HARMLESS_IN_JSON


@pytest.fixture
def bench(store: "Store", monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_at_work(store.url, monkeypatch) as made:
        yield made


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    sprung.clear()
    return tmp_path / "trap"


@pytest.fixture
def client(bench: Bench) -> Iterator[redis.Redis]:
    with bench.stranger() as client:
        yield client


@pytest.fixture
def worker(bench: Bench, client: redis.Redis) -> EventWorker:
    stores = jobs.Stores(bench.log, bench.projection)
    return worker_on(client, stores, Settings(redis_url="redis://x"))


def write(client: redis.Redis, job_id: str, fields: "Fields") -> None:
    """Write a job as whoever has the store's password can."""
    usual = {"created_at": "2026-01-01T00:00:00.000000Z", "origin": "events", "status": "queued"}
    client.hset(f"rq:job:{job_id}", mapping=dict[Any, Any](usual | fields))


def enqueue(client: redis.Redis, fields: "Fields", job_id: str = "hostile") -> None:
    write(client, job_id, fields)
    client.rpush(doorbell.QUEUE_KEY, job_id)


def run(worker: SimpleWorker) -> None:
    worker.work(burst=True, logging_level="CRITICAL")


def still_works(bench: Bench, worker: EventWorker) -> bool:
    """Whether an event accepted now is applied."""
    bench.accept(*(EXAMPLES / "customer_with_card.jsonl").read_bytes().splitlines())
    doorbell.ring(worker.connection)
    run(worker)
    return bool(bench.log.hget(keys.COUNTERS, "applied"))


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_job_does_nothing_whether_it_waits_was_scheduled_or_was_abandoned(
    bench: Bench, client: redis.Redis, worker: EventWorker, trap: Path, what: str
) -> None:
    fields = HOSTILE[what](trap)
    enqueue(client, fields)
    write(client, "scheduled", fields)
    client.zadd("rq:scheduled:events", {"scheduled": 1, "unknown": 1})
    write(client, "abandoned", {**fields, "status": "started"})
    client.zadd("rq:wip:events", {"abandoned:1": 1, "unknown:1": 1})
    run(worker)
    assert not trap.exists()
    assert not sprung
    left = [
        client.llen(doorbell.QUEUE_KEY),
        *map(client.zcard, ("rq:scheduled:events", "rq:wip:events")),
    ]
    assert left == [0, 0, 0]
    assert still_works(bench, worker)


@pytest.mark.parametrize("what", DANGEROUS)
def test_it_would_have_done_harm_in_a_worker_of_rqs_own(
    bench: Bench, client: redis.Redis, trap: Path, what: str
) -> None:
    del bench
    enqueue(client, DANGEROUS[what](trap))
    run(SimpleWorker([doorbell.queue(client)], connection=client, serializer=JSONSerializer))
    assert trap.exists() or sprung


def test_a_foreign_job_is_laid_among_the_failed_with_a_sentence(
    client: redis.Redis, worker: EventWorker, trap: Path
) -> None:
    enqueue(client, {**DANGEROUS["a function"](trap), "retries_left": "9"})
    run(worker)
    assert client.zscore(doorbell.FAILED_JOBS_KEY, "hostile") is not None
    result = Job.fetch("hostile", connection=client, serializer=JSONSerializer).latest_result()
    assert result is not None
    assert "Onfile makes no such job" in str(result.exc_string)


def test_no_address_that_a_job_names_is_called(
    bench: Bench, client: redis.Redis, worker: EventWorker
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        hooks = [{"url": url, "job_status": status} for status in ("finished", "failed")]
        enqueue(client, {"data": call(DRAIN_JOB), "webhooks": json.dumps(hooks)})
        assert Job.fetch("hostile", connection=client, serializer=JSONSerializer).webhooks
        assert still_works(bench, worker)
        server.setblocking(False)  # noqa: FBT003 - socket's own
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("kind", ["set", "rpush", "sadd"])
def test_another_kind_of_key_where_a_job_should_lie_stops_no_worker(
    bench: Bench, client: redis.Redis, worker: EventWorker, kind: str
) -> None:
    getattr(client, kind)("rq:job:hostile", "x")
    client.rpush(doorbell.QUEUE_KEY, "hostile")
    assert still_works(bench, worker)


@pytest.mark.parametrize("queue", [doorbell.QUEUE_KEY, doorbell.REPLAY_QUEUE_KEY])
@pytest.mark.parametrize(
    "job_id", [b"\xff\xfe", b"unknown", b"", b"a:b:c", b"../x\x1b[31m\n", b"x" * 2**20], ids=len
)
def test_what_is_no_id_of_a_job_is_passed_over(
    bench: Bench, client: redis.Redis, worker: EventWorker, queue: str, job_id: bytes
) -> None:
    client.rpush(queue, job_id, job_id)
    assert still_works(bench, worker)
    assert not client.exists(queue)


def test_a_job_that_rq_itself_stumbles_over_is_dropped(
    bench: Bench, client: redis.Redis, worker: EventWorker
) -> None:
    enqueue(client, {"data": call(DRAIN_JOB)})
    client.set("rq:executions:hostile", "x")
    assert still_works(bench, worker)
    assert not client.exists("rq:job:hostile")


def test_a_key_in_the_way_of_an_event_that_is_tried_again_is_replaced(
    bench: Bench, client: redis.Redis, worker: EventWorker
) -> None:
    for template in ("rq:job:{}", "rq:executions:{}"):
        client.set(template.format("evt_1"), "x")
    doorbell.enqueue_apply(client, "evt_1")
    assert still_works(bench, worker)
    assert client.hget("rq:job:evt_1", "status") == b"finished"


def test_a_worker_takes_no_orders_from_the_store(
    worker: EventWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "handle_payload", spring)
    run(worker)
    assert worker.pubsub_thread is None


def test_our_own_jobs_are_read_back_whole(store: "Store") -> None:
    with store.client() as client:
        doorbell.ring(client)
        doorbell.enqueue_apply(client, "evt_1")
        drain, apply = doorbell.queue(client, job_class=EventJob).jobs
        assert (drain.func, drain.args, drain.retries_left) == (jobs.drain, [], 3)
        assert (apply.func, apply.args, apply.retries_left) == (jobs.apply, ["evt_1"], 5)
        assert apply.retry_intervals == list(doorbell.APPLY_RETRY_SECONDS)


def test_the_longest_id_fits() -> None:
    assert len(call(APPLY_JOB, None, ["e" * 255], {})) < 4096


def test_every_job_that_is_enqueued_is_one_that_is_run() -> None:
    names = {getattr(keys, name) for name in dir(keys) if name.endswith("_JOB")}
    assert names == JOBS.keys()
