import asyncio
import threading
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from service.web import wrong_keys
from service.web.wrong_keys import (
    ADDRESSES,
    FORGOTTEN_SECONDS,
    FREE_TRIES,
    HELD,
    LONGEST_PAUSE_SECONDS,
    TooManyWrongKeysError,
    WrongKeys,
    pause_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.conftest import Store
    from tests.service.web.conftest import Web


@pytest.fixture
def no_pause() -> None:
    """Let them pause here."""


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_each_wrong_key_waits_longer_than_the_last_up_to_an_end() -> None:
    pauses = [pause_seconds(tries) for tries in range(1, 100_000)]
    assert pauses[:FREE_TRIES] == [0.0] * FREE_TRIES
    assert pauses[FREE_TRIES] > 0
    assert all(earlier <= later for earlier, later in pairwise(pauses))
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_an_address_that_tries_no_more_is_forgiven() -> None:
    clock = Clock()
    wrong_keys = WrongKeys(clock=clock)
    assert [wrong_keys._count("192.0.2.1") for _ in range(5)] == [1, 2, 3, 4, 5]
    assert wrong_keys._count("192.0.2.2") == 1
    clock.now += FORGOTTEN_SECONDS
    assert wrong_keys._count("192.0.2.1") == 1


def test_what_is_remembered_is_bounded_and_keeps_who_tried_last() -> None:
    wrong_keys = WrongKeys(clock=Clock())
    for number in range(3 * ADDRESSES):
        wrong_keys._count(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        assert wrong_keys._count("192.0.2.1") == number + 1
    assert len(wrong_keys._tries) == ADDRESSES


def test_the_addresses_of_one_subscriber_count_as_one() -> None:
    async def tried() -> None:
        wrong_keys = WrongKeys(clock=Clock())
        for number in range(FREE_TRIES):
            await wrong_keys.hold((f"2001:db8::{number}", 1))
        assert list(wrong_keys._tries) == ["2001:db8::/64"]

    asyncio.run(tried())


def test_no_more_than_so_many_are_held_and_those_who_leave_make_room() -> None:
    async def tried() -> None:
        wrong_keys = WrongKeys(clock=Clock())
        for _ in range(FREE_TRIES):
            await wrong_keys.hold(("192.0.2.1", 1))
        held = [asyncio.create_task(wrong_keys.hold(("192.0.2.1", 1))) for _ in range(HELD)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyWrongKeysError):
            await wrong_keys.hold(("192.0.2.1", 1))
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        assert wrong_keys._held == 0

    asyncio.run(tried())


def test_while_too_many_are_held_who_tries_on_learns_nothing_and_others_are_looked_up() -> None:
    async def tried() -> None:
        wrong_keys = WrongKeys(clock=Clock())
        guesser, neighbour = ("192.0.2.1", 1), ("192.0.2.2", 1)
        wrong_keys.was_right(neighbour)
        for client in (guesser, neighbour):
            for _ in range(FREE_TRIES):
                await wrong_keys.hold(client)
        held = [asyncio.create_task(wrong_keys.hold(guesser)) for _ in range(HELD - 1)]
        held += [asyncio.create_task(wrong_keys.hold(neighbour))]
        await asyncio.sleep(0)
        with pytest.raises(TooManyWrongKeysError):
            wrong_keys.admit(guesser)
        wrong_keys.admit(neighbour)  # it has a right key as well, and tries a wrong one
        wrong_keys.admit(("192.0.2.3", 1))
        held.pop().cancel()
        await asyncio.sleep(0)
        wrong_keys.admit(guesser)
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)

    asyncio.run(tried())


def test_how_many_right_ones_are_remembered_is_bounded() -> None:
    wrong_keys = WrongKeys(clock=Clock())
    for number in range(2 * ADDRESSES):
        wrong_keys.was_right((str(number), 1))
    assert len(wrong_keys._right) == ADDRESSES


@pytest.mark.parametrize("path", ["/v1/customers/cus_1", "/metrics"])
@pytest.mark.parametrize("right_before", [True, False])
def test_over_http_too_many_wrong_keys_end_what_their_address_is_told(
    store: "Store",
    serving: "Callable[[Store], AbstractContextManager[Web]]",
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    *,
    right_before: bool,
) -> None:
    monkeypatch.setattr(wrong_keys, "HELD", 0)
    with serving(store) as web:
        web.plant_customer("cus_1")
        right = web.metrics_key if path == "/metrics" else web.test_key
        if right_before:
            assert web.ask(path, key=right).status == 200
        for _ in range(FREE_TRIES):
            assert web.ask(path, key="sk_test_wrong").status == 401
        assert web.ask(path, key="sk_test_wrong").status == 429
        assert web.ask(path, key=right).status == (200 if right_before else 429)


def test_over_http_wrong_keys_are_held_and_a_right_one_is_answered_meanwhile(
    store: "Store", serving: "Callable[[Store], AbstractContextManager[Web]]"
) -> None:
    path = "/v1/customers/cus_1"
    with serving(store) as web:
        web.plant_customer("cus_1")
        for _ in range(FREE_TRIES + 2):
            assert web.ask(path, key="sk_test_wrong").status == 401
        wrong = threading.Thread(target=lambda: web.ask(path, key="sk_test_wrong"))
        wrong.start()
        assert web.ask(path).status == 200
        assert wrong.is_alive()
        wrong.join()
