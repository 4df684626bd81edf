"""The store's clients: they fail fast, repeat nothing, and tell what the store promises."""

import asyncio
import socket
import time
from typing import TYPE_CHECKING

import pytest
import redis

from service.stores import (
    UNKNOWN,
    Durability,
    connect,
    connect_async,
    durability,
    durability_async,
    words_of,
)

if TYPE_CHECKING:
    from tests.conftest import Store


def test_a_store_that_keeps_what_it_acknowledged_says_so(store: "Store") -> None:
    with connect(store.url) as client:
        told = durability(client)
    assert told == Durability(appendonly="yes", appendfsync="always", maxmemory_policy="noeviction")
    assert told.kept


@pytest.mark.parametrize(
    ("setting", "value"), [("appendfsync", "everysec"), ("maxmemory-policy", "allkeys-lru")]
)
def test_a_store_that_may_lose_something_is_not_called_durable(
    own_store: "Store", setting: str, value: str
) -> None:
    with connect(own_store.url) as client:
        client.config_set(setting, value)
        assert not durability(client).kept


def test_a_store_that_forbids_the_question_is_unknown_and_not_durable(own_store: "Store") -> None:
    async def ask(url: str) -> Durability:
        async with connect_async(url) as web:
            return await durability_async(web)

    with own_store.client() as client:
        client.acl_setuser(
            "guest", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-config"]
        )
    url = own_store.url.replace("redis://", "redis://guest:x@")
    with connect(url) as client:
        told = durability(client)
    assert told == asyncio.run(ask(url)) == Durability(UNKNOWN, UNKNOWN, UNKNOWN)
    assert not told.kept


def test_a_store_that_never_answers_is_given_up_after_one_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with connect(url, timeout=0.2) as client, pytest.raises(redis.TimeoutError):
            client.ping()
        asyncio.run(_ping_and_give_up(url))
        assert time.monotonic() - began < 1


async def _ping_and_give_up(url: str) -> None:
    async with connect_async(url, timeout=0.2) as client:
        with pytest.raises(redis.TimeoutError):
            await client.ping()


def test_the_first_command_after_a_restart_of_the_store_succeeds(own_store: "Store") -> None:
    """An idle connection that the store has closed is not used again."""

    async def asked_again() -> bool:
        client = connect_async(own_store.url)
        await client.ping()
        own_store.kill()
        own_store.start()
        for _ in range(5):  # turns of the loop, to notice the end of the connection
            await asyncio.sleep(0)
        answered = await client.ping()
        await client.aclose()
        return bool(answered)

    assert asyncio.run(asked_again())
    with connect(own_store.url) as client:
        client.ping()
        own_store.kill()
        own_store.start()
        assert client.ping()


def test_sentinels_that_do_not_answer_are_told_in_one_sentence() -> None:
    with (
        connect("redis+sentinel://127.0.0.1:1/primary") as client,
        pytest.raises(redis.ConnectionError) as refused,
    ):
        client.ping()
    assert words_of(refused.value) == "No master found for 'primary'"


def test_a_client_of_sentinels_leaves_no_connection_open_whether_they_answer_or_not() -> None:
    async def ask() -> None:
        async with connect_async("redis+sentinel://127.0.0.1:1/primary") as client:
            with pytest.raises(redis.ConnectionError):
                await client.ping()

    asyncio.run(ask())
