"""What nobody waits for: it reaches the store within about a second, or when the store is back."""

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
import redis

from service.stores import connect_async
from service.watch import side_notes
from service.watch.side_notes import SideNotes

if TYPE_CHECKING:
    from tests.conftest import Store


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_notes, "FLUSH_SECONDS", 0.05)


async def until(client: redis.asyncio.Redis, hashed: dict[bytes, bytes]) -> None:
    """Wait until the hash holds this."""
    give_up = time.monotonic() + 3
    while True:
        try:
            if await client.hgetall("notes") == hashed:
                return
        except redis.RedisError:
            pass
        assert time.monotonic() < give_up
        await asyncio.sleep(0.01)


def test_counts_add_up_and_of_several_values_the_last_one_counts(store: "Store") -> None:
    async def run() -> None:
        async with connect_async(store.url) as client:
            notes = SideNotes(client)
            for number in range(3):
                notes.count("notes", {"often": 1})
                notes.note("notes", {"last": number})
            await until(client, {b"often": b"3", b"last": b"2"})
            notes.count("notes", {"often": 1})
            await notes.close()
            await until(client, {b"often": b"4", b"last": b"2"})

    asyncio.run(run())


def test_what_could_not_be_written_waits_and_gives_way_to_what_is_newer(own_store: "Store") -> None:
    async def run() -> None:
        async with connect_async(own_store.url) as client:
            notes = SideNotes(client)
            own_store.kill()
            notes.note("notes", {"old": 1})
            notes.note("notes", {"both": 1})
            notes.count("notes", {"often": 1})
            await asyncio.sleep(0.2)
            notes.note("notes", {"both": 2})
            notes.count("notes", {"often": 1})
            own_store.start()
            await until(client, {b"old": b"1", b"both": b"2", b"often": b"2"})
            await notes.close()

    asyncio.run(run())
