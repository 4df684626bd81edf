"""The intake on a real store: one commit for many, none of them lost, a store away said fast."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
import redis.asyncio

from service import doorbell
from service.event import Event, read_event
from service.keys import COUNTERS, IGNORED, LOG
from service.log import intake
from service.log.event_log import find
from service.log.intake import Intake, Outcome
from service.stores import StoreAwayError, connect_async

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.service.conftest import EventBody

AWAY_SECONDS = 2.0


class Desk:
    """An intake and its client, given bodies."""

    def __init__(self, client: redis.asyncio.Redis, replicas: int) -> None:
        self.client = client
        self.intake = Intake(client, replicas=replicas)

    async def take(self, body: bytes) -> Outcome:
        """Accept one delivery."""
        event = read_event(body)
        assert isinstance(event, Event)
        return await self.intake.accept(event, body)

    async def outcome(self, body: bytes) -> str:
        """Accept one delivery, or say that the store is away."""
        try:
            return await self.take(body)
        except StoreAwayError:
            return "away"


@asynccontextmanager
async def opened(store: "Store", replicas: int = 0) -> AsyncIterator[Desk]:
    """Open an intake on the store, and close it."""
    async with connect_async(store.url) as client:
        desk = Desk(client, replicas)
        yield desk
        await desk.intake.close()


@pytest.fixture
def replica(own_store: "Store", tmp_path: Path) -> Iterator["Store"]:
    """A replica of the store that the test may kill, not started yet."""
    folder = tmp_path / "replica"
    folder.mkdir()
    follow = ("--replicaof", f"127.0.0.1 {own_store.port}", "--repl-diskless-sync-delay", "0")
    replica = type(own_store)(folder, *follow)
    yield replica
    replica.kill()


def commits(client: redis.Redis) -> int:
    """Return how many times the append script has been run."""
    return int(client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])


def transactions(client: redis.Redis) -> int:
    """Return how many transactions there were."""
    return int(client.info("commandstats").get("cmdstat_exec", {"calls": 0})["calls"])


async def within(seconds: float, what: Callable[[], Awaitable[object]]) -> None:
    """Await a true answer."""
    give_up = time.monotonic() + seconds
    while not await what():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.005)


def test_an_accepted_event_is_in_the_log_and_a_job_waits_for_it(
    store: "Store", event_body: "EventBody"
) -> None:
    async def run() -> None:
        async with opened(store) as desk:
            assert await desk.take(event_body()) == "accepted"
            assert await desk.take(event_body()) == "duplicate"

    asyncio.run(run())
    with store.client() as client:
        assert [entry.body for entry in find(client, "evt_1")] == [event_body()]
        assert [job.func_name for job in doorbell.queue(client).get_jobs()] == [
            "workers.jobs.drain"
        ]


def test_500_deliveries_at_once_arrive_in_few_commits_and_each_once(
    store: "Store", event_body: "EventBody"
) -> None:
    bodies = [event_body(f"evt_{n}") for n in range(500)]

    async def run() -> list[Outcome]:
        async with opened(store) as desk:
            await desk.take(event_body("evt_first"))
            return await asyncio.gather(*map(desk.take, bodies))

    with store.client() as client:
        before = commits(client)
        outcomes = asyncio.run(run())
        assert outcomes == ["accepted"] * 500
        assert commits(client) - before <= 8
        assert client.xlen(LOG) == 501
        assert doorbell.queue(client).count == 1
        assert client.hget(COUNTERS, "accepted") == b"501"


def test_of_one_event_delivered_many_times_at_once_one_is_accepted(
    store: "Store", event_body: "EventBody"
) -> None:
    async def run() -> list[Outcome]:
        async with opened(store) as desk:
            return await asyncio.gather(*[desk.take(event_body()) for _ in range(50)])

    outcomes = asyncio.run(run())
    assert sorted(outcomes) == ["accepted"] + ["duplicate"] * 49
    with store.client() as client:
        assert client.xlen(LOG) == 1


def test_a_batch_is_bounded_by_count_and_by_bytes(
    store: "Store", event_body: "EventBody", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BATCH_EVENTS", 10)
    monkeypatch.setattr(intake, "BATCH_BYTES", 700)
    bodies = [event_body(f"evt_{n}", noise=os.urandom(300).hex()) for n in range(21)]

    async def run() -> None:
        async with opened(store) as desk:
            await asyncio.gather(*map(desk.take, bodies))

    with store.client() as client:
        before = commits(client)
        asyncio.run(run())
        assert client.xlen(LOG) == 21
        assert commits(client) - before >= 11


@pytest.mark.parametrize(("bound", "most"), [("ROOM_EVENTS", 3), ("ROOM_BYTES", 600)])
def test_a_full_waiting_room_turns_away_and_keeps_who_is_in_it(
    store: "Store",
    event_body: "EventBody",
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    most: int,
) -> None:
    monkeypatch.setattr(intake, bound, most)
    bodies = [event_body(f"evt_{n}") for n in range(20)]

    async def run() -> list[str]:
        async with opened(store) as desk:
            first = await asyncio.gather(*map(desk.outcome, bodies))
            assert await desk.take(event_body("evt_later")) == "accepted"
            return first

    outcomes = asyncio.run(run())
    taken = outcomes.count("accepted")
    assert 0 < taken < 20
    assert outcomes.count("away") == 20 - taken
    with store.client() as client:
        assert client.xlen(LOG) == taken + 1


# --- the bell -----------------------------------------------------------------------------------


def test_while_a_job_waits_nobody_rings(store: "Store", event_body: "EventBody") -> None:
    async def run() -> None:
        async with opened(store) as desk:
            for n in range(20):
                await desk.take(event_body(f"evt_{n}"))

    with store.client() as client:
        doorbell.ring(client)
        asyncio.run(run())
        assert doorbell.queue(client).count == 1


def test_a_lone_event_brings_its_ring_in_its_own_transaction(
    store: "Store", event_body: "EventBody"
) -> None:
    async def run() -> tuple[int, int]:
        async with opened(store) as desk:
            await desk.take(event_body("evt_1"))
            await within(1, lambda: desk.client.llen(doorbell.QUEUE_KEY))
            await desk.client.delete(doorbell.QUEUE_KEY)  # a worker has taken it
            await asyncio.sleep(doorbell.QUIET_SECONDS + 0.01)
            before = (commits(sync), transactions(sync))
            await desk.take(event_body("evt_2"))
            assert await desk.client.llen(doorbell.QUEUE_KEY) == 1  # with the reply, not after it
            return commits(sync) - before[0], transactions(sync) - before[1]

    with store.client() as sync:
        assert asyncio.run(run()) == (1, 1)


def test_a_duplicate_rings_for_nothing(store: "Store", event_body: "EventBody") -> None:
    async def run() -> None:
        async with opened(store) as desk:
            await desk.take(event_body())
            await within(1, lambda: desk.client.llen(doorbell.QUEUE_KEY))
            await desk.client.delete(doorbell.QUEUE_KEY)
            assert await desk.take(event_body()) == "duplicate"

    asyncio.run(run())
    with store.client() as client:
        assert doorbell.queue(client).count == 0


# --- the store away -----------------------------------------------------------------------------


def test_a_killed_store_is_said_to_be_away_within_2_seconds_and_is_used_again_by_itself(
    own_store: "Store", event_body: "EventBody"
) -> None:
    async def run() -> None:
        async with opened(own_store) as desk:
            assert await desk.take(event_body("evt_0")) == "accepted"
            own_store.kill()
            for attempt in range(3):
                began = time.monotonic()
                bodies = [event_body(f"evt_{attempt}_{n}") for n in range(30)]
                assert set(await asyncio.gather(*map(desk.outcome, bodies))) == {"away"}
                assert time.monotonic() - began < AWAY_SECONDS
            own_store.start()
            assert await desk.take(event_body("evt_1")) == "accepted"
            assert await desk.take(event_body("evt_0")) == "duplicate"

    asyncio.run(run())
    with own_store.client() as client:
        assert client.xlen(LOG) == 2
        assert doorbell.queue(client).count >= 1


def test_a_frozen_store_is_said_to_be_away_within_2_seconds_also_to_who_came_meanwhile(
    own_store: "Store", event_body: "EventBody"
) -> None:
    assert own_store.process
    pid = own_store.process.pid

    async def late(desk: Desk, n: int) -> float:
        await asyncio.sleep(n * 0.2)
        began = time.monotonic()
        assert await desk.outcome(event_body(f"evt_late_{n}")) == "away"
        return time.monotonic() - began

    async def run() -> None:
        async with opened(own_store) as desk:
            await desk.take(event_body("evt_0"))
            os.kill(pid, signal.SIGSTOP)
            try:
                waits = await asyncio.gather(*[late(desk, n) for n in range(8)])
            finally:
                os.kill(pid, signal.SIGCONT)
            assert max(waits) < AWAY_SECONDS
            # replies of the frozen time must not be taken for those of now
            assert await desk.take(event_body("evt_after")) == "accepted"
            assert await desk.take(event_body("evt_after")) == "duplicate"
            assert await desk.take(event_body("evt_0")) == "duplicate"

    asyncio.run(run())


def test_a_store_that_refuses_to_write_is_away_too(
    own_store: "Store", event_body: "EventBody"
) -> None:
    async def run() -> None:
        async with opened(own_store) as desk:
            await desk.take(event_body("evt_0"))
            await desk.client.config_set("maxmemory", "1")
            assert await desk.outcome(event_body("evt_1")) == "away"
            await desk.client.config_set("maxmemory", "0")
            assert await desk.take(event_body("evt_1")) == "accepted"

    asyncio.run(run())


def test_where_a_replica_must_have_it_nothing_is_accepted_until_one_does(
    own_store: "Store", replica: "Store", event_body: "EventBody"
) -> None:
    async def run() -> None:
        async with opened(own_store, replicas=1) as desk:
            assert await desk.outcome(event_body("evt_1")) == "away"
            replica.start()
            give_up = time.monotonic() + 10
            while await desk.outcome(event_body("evt_1")) == "away":
                assert time.monotonic() < give_up
            with replica.client() as its:
                assert [entry.id for entry in find(its, "evt_1")] == ["evt_1"]
            assert await desk.take(event_body("evt_2")) == "accepted"

    asyncio.run(run())
    with own_store.client() as client:
        assert client.llen(doorbell.QUEUE_KEY) >= 1


def test_a_script_that_the_store_has_forgotten_is_loaded_again(
    store: "Store", event_body: "EventBody"
) -> None:
    async def run() -> None:
        async with opened(store) as desk:
            for n in range(3):
                await desk.client.script_flush()
                assert await desk.take(event_body(f"evt_{n}")) == "accepted"

    asyncio.run(run())
    with store.client() as client:
        assert client.xlen(LOG) == 3


def test_what_was_acknowledged_before_a_kill_is_in_the_log_after_it_and_nothing_is_there_twice(
    own_store: "Store", event_body: "EventBody", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BATCH_EVENTS", 50)
    bodies = [event_body(f"evt_{n}") for n in range(3_000)]

    async def run() -> list[str]:
        async with opened(own_store) as desk:
            deliveries = [asyncio.create_task(desk.outcome(body)) for body in bodies]
            await within(5, lambda: at_least(desk, 600))
            own_store.kill()
            return await asyncio.gather(*deliveries)

    async def at_least(desk: Desk, count: int) -> bool:
        return await desk.client.xlen(LOG) >= count

    async def again(outcomes: list[str]) -> None:
        async with opened(own_store) as desk:
            for body, before in zip(bodies, outcomes, strict=True):
                after = await desk.take(body)
                if before == "accepted":
                    assert after == "duplicate"

    outcomes = asyncio.run(run())
    assert {"accepted", "away"} <= set(outcomes)
    own_store.start()
    asyncio.run(again(outcomes))
    with own_store.client() as client:
        assert client.xlen(LOG) == 3_000


def test_a_reply_that_is_lost_with_its_connection_counts_as_no_commit(
    own_store: "Store", event_body: "EventBody"
) -> None:
    """The crash point between the store's write and our reading of its reply."""

    async def run() -> None:
        async with opened(own_store) as desk:
            await desk.take(event_body("evt_0"))
            assert own_store.process
            os.kill(own_store.process.pid, signal.SIGSTOP)
            delivery = asyncio.create_task(desk.outcome(event_body("evt_1")))
            await asyncio.sleep(0.05)
            await desk.client.connection_pool.disconnect()  # the command is sent, the reply is not
            os.kill(own_store.process.pid, signal.SIGCONT)
            first = await delivery
            second = await desk.take(event_body("evt_1"))
            assert (first, second) in {("away", "duplicate"), ("away", "accepted")}

    asyncio.run(run())
    with own_store.client() as client:
        assert len(find(client, "evt_1")) == 1
        assert doorbell.queue(client).count >= 1


def test_a_delivery_that_nobody_waits_for_any_more_is_kept_all_the_same(
    store: "Store", event_body: "EventBody"
) -> None:
    async def run() -> None:
        async with opened(store) as desk:
            delivery = asyncio.create_task(desk.take(event_body("evt_1")))
            other = asyncio.create_task(desk.take(event_body("evt_2")))
            await asyncio.sleep(0)
            delivery.cancel()
            assert await other == "accepted"

    asyncio.run(run())
    with store.client() as client:
        assert client.xlen(LOG) == 2


def test_a_delivery_that_nobody_waits_for_any_more_hinders_no_refusal(
    own_store: "Store", event_body: "EventBody"
) -> None:
    async def run() -> None:
        async with opened(own_store) as desk:
            own_store.kill()
            delivery = asyncio.create_task(desk.take(event_body("evt_1")))
            other = asyncio.create_task(desk.outcome(event_body("evt_2")))
            await asyncio.sleep(0)
            delivery.cancel()
            assert await other == "away"

    asyncio.run(run())


def test_a_bug_in_the_commit_leaves_nobody_waiting(
    store: "Store", event_body: "EventBody", monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with opened(store) as desk:
            with monkeypatch.context() as broken:
                broken.setattr(intake, "append_command", None)
                bodies = [event_body("evt_1"), event_body("evt_2")]
                assert await asyncio.gather(*map(desk.outcome, bodies)) == ["away", "away"]
            assert await desk.take(event_body("evt_1")) == "accepted"

    asyncio.run(run())


# --- ignored events -----------------------------------------------------------------------------


def test_ignored_events_are_counted_by_type(store: "Store") -> None:
    async def run() -> None:
        async with opened(store) as desk:
            for event_type in ("charge.succeeded", "charge.succeeded", "invoice.paid"):
                desk.intake.count_ignored(event_type)

    asyncio.run(run())
    with store.client() as client:
        assert client.hgetall(IGNORED) == {b"charge.succeeded": b"2", b"invoice.paid": b"1"}


def test_ignored_events_are_counted_within_about_a_second_and_survive_an_absent_store(
    own_store: "Store",
) -> None:
    async def counted(desk: Desk) -> bool:
        try:
            return await desk.client.hget(IGNORED, "invoice.paid") == b"2"
        except redis.RedisError:
            return False

    async def run() -> None:
        async with opened(own_store) as desk:
            own_store.kill()
            desk.intake.count_ignored("invoice.paid")
            await asyncio.sleep(1.1)
            desk.intake.count_ignored("invoice.paid")
            own_store.start()
            await within(3, lambda: counted(desk))

    asyncio.run(run())
