"""The watch: what stands still is seen though the store's clock says that it is young."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from service.keys import GROUP, LOG, REPLAY
from service.log.backlog import Backlog, backlog
from workers.watch import Watch

if TYPE_CHECKING:
    import redis

    from tests.conftest import Store

FUTURE = f"{int(time.time() * 1000) + 3_600_000}-0"


@pytest.fixture
def client(store: "Store") -> Iterator["redis.Redis"]:
    """A store whose clock was an hour ahead when its only entry was appended and claimed."""
    with store.client() as client:
        claim_in_the_future(client, LOG)
        yield client


def claim_in_the_future(client: "redis.Redis", stream: str) -> None:
    client.xgroup_create(stream, GROUP, id="0", mkstream=True)
    client.xadd(stream, {"id": "evt_1"}, id=FUTURE)
    client.xreadgroup(GROUP, "dead", {stream: ">"})
    client.xclaim(stream, GROUP, "dead", 0, [FUTURE], time=int(FUTURE[:-2]), retrycount=1)


def idle(client: "redis.Redis", stream: str = LOG) -> list[Any]:
    found: Any = client.xpending_range(stream, GROUP, "-", "+", 10, idle=20)
    return [(one["message_id"], one["times_delivered"]) for one in found]


def test_a_claim_that_stays_runs_out_though_it_was_made_in_the_future(
    client: "redis.Redis",
) -> None:
    watch = Watch()
    watch.age_claims(client, 20)
    assert idle(client) == []
    time.sleep(0.021)
    watch.age_claims(client, 20)
    assert idle(client) == [(FUTURE.encode(), 1)]


def test_a_claim_on_what_is_replayed_runs_out_as_well(client: "redis.Redis") -> None:
    claim_in_the_future(client, REPLAY)
    watch = Watch()
    watch.age_claims(client, 20)
    time.sleep(0.021)
    watch.age_claims(client, 20)
    assert idle(client, REPLAY) == idle(client) == [(FUTURE.encode(), 1)]


def test_a_claim_that_was_made_anew_meanwhile_is_a_young_one(client: "redis.Redis") -> None:
    watch = Watch()
    watch.age_claims(client, 20)
    time.sleep(0.021)
    far: Any = {"time": int(FUTURE[:-2]), "retrycount": 2}
    client.xclaim(LOG, GROUP, "another", 0, [FUTURE], **far)
    watch.age_claims(client, 20)
    assert idle(client) == []


def test_it_tells_how_long_nothing_was_settled_while_something_is_pending(
    client: "redis.Redis",
) -> None:
    watch = Watch()
    behind = backlog(client)
    assert (behind.pending, behind.oldest_ms) == (1, 0)
    assert watch.still_seconds(behind) == 0
    time.sleep(0.01)
    assert watch.still_seconds(behind) >= 0.01
    settled = Backlog(untaken=1, taken=0, oldest_ms=0, failing=0, accepted=5)
    assert watch.still_seconds(settled) == 0
    assert watch.still_seconds(Backlog(untaken=0, taken=0, oldest_ms=None, failing=0)) == 0
