"""Doubts are resolved in the background, and trouble with Stripe stays there."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from service.keys import ASKING, DOUBTS, LOG
from service.log.entry import read_entry
from service.settings import Settings
from tests.stripe_side import KEY, StripeSide, running
from workers.asking.resolving import TROUBLE_SECONDS, Resolver

if TYPE_CHECKING:
    from tests.conftest import Store


@pytest.fixture(scope="module")
def stripe_side() -> Iterator[StripeSide]:
    with running() as side:
        yield side


def resolver(store: "Store", side: StripeSide, *keys: str) -> Resolver:
    return Resolver(Settings(redis_url=store.url, stripe_keys=keys, stripe_url=side.url))


def test_what_is_in_doubt_is_read_once_and_not_again_at_once(
    store: "Store", stripe_side: StripeSide
) -> None:
    customer = stripe_side.create(source="tok_visa")
    asking = resolver(store, stripe_side, KEY)
    with store.client() as client:
        client.hset(DOUBTS, f"test::{customer}", "1 default")
        client.hset(DOUBTS, "test::cus_unknown", "1 default")
        client.hset(DOUBTS, f"live::{customer}", "1 default")
        for _ in range(2):
            asking.resolve()
        items: Any = client.xrange(LOG)
    [entry] = [read_entry(item) for item in items]
    assert (entry.type, entry.customer, entry.mode) == ("onfile.read", customer, "test")


def test_a_fresh_doubt_is_given_time(store: "Store", stripe_side: StripeSide) -> None:
    with store.client() as client:
        client.hset(DOUBTS, "test::cus_fresh", f"{2**60} default")
        asked = len(stripe_side.asked)
        resolver(store, stripe_side, KEY).resolve()
    assert len(stripe_side.asked) == asked


def test_a_refused_key_is_logged_and_not_tried_again_for_a_while(
    store: "Store", stripe_side: StripeSide
) -> None:
    stripe_side.refusals[:] = [(401, {})]
    with store.client() as client, capture_logs() as said:
        client.hset(DOUBTS, "test::cus_any", "1 default")
        resolver(store, stripe_side, KEY).resolve()
        assert client.pttl(ASKING) > TROUBLE_SECONDS * 500
    [line] = said
    assert (line["event"], line["reason"]) == ("doubts.unread", "KeyRefusedError")


def test_a_store_that_is_away_is_logged_and_no_more(stripe_side: StripeSide) -> None:
    settings = Settings(
        redis_url="redis://127.0.0.1:1", stripe_keys=(KEY,), stripe_url=stripe_side.url
    )
    with capture_logs() as said:
        Resolver(settings).resolve()
    assert [line["event"] for line in said] == ["doubts.unread"]


def test_one_worker_asks_at_a_time_and_only_with_a_key(
    store: "Store", stripe_side: StripeSide
) -> None:
    with store.client() as client:
        client.hset(DOUBTS, "live::cus_any", "1 default")
        resolver(store, stripe_side).run(client)
        assert not client.exists(ASKING)
        first, second = (resolver(store, stripe_side, KEY) for _ in range(2))
        first.run(client)
        second.run(client)
        assert (first._thread is not None, second._thread is not None) == (True, False)
        if first._thread:
            first._thread.join()
