"""The event log on a real store: appended once, claimed by one, kept until applied and old."""

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import redis

from service.event import Event, read_event
from service.keys import COUNTERS, GROUP, LOG, RETRIES, Namespace, index_bucket
from service.log import backlog as backlog_of
from service.log import claims, event_log
from service.log.entry import Entry, NewEntry, new_entry
from service.log.event_log import Appended, claim_new, claim_stuck, find, states
from service.log.retention import Trimmed, trim
from service.stores import connect_async

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.service.conftest import EventBody

QUEUE = "rq:queue:events"
TEST = Namespace(account="", mode="test")


def entry_of(body: bytes) -> NewEntry:
    """Return a body ready to be appended."""
    event = read_event(body)
    assert isinstance(event, Event)
    return new_entry(event, body)


def append(client: redis.Redis, *bodies: bytes) -> Appended:
    """Append these bodies in one step."""
    client.script_load(event_log.APPEND_SCRIPT)
    command = event_log.append_command([entry_of(body) for body in bodies], QUEUE)
    reply: Any = client.execute_command(*command)  # type: ignore[no-untyped-call]
    return event_log.read_appended(reply)


def fail(client: redis.Redis, entry: Entry, state: str) -> None:
    """Mark an entry as a worker does whose handler failed."""
    client.hset(RETRIES, entry.entry_id, json.dumps({"event": entry.id, "state": state}))


@pytest.fixture(name="client")
def a_client(store: "Store") -> redis.Redis:
    """Return a client of the emptied store."""
    return store.client()


# --- append -------------------------------------------------------------------------------------


def test_an_appended_event_is_found_again_with_everything_about_it(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    data = {"object": {"id": "card_1", "object": "card", "customer": "cus_1"}}
    body = event_body("evt_1", type="customer.source.created", data=data, account="acct_1")
    before = time.time_ns() // 1_000_000
    assert append(client, body) == Appended(waiting=0, fresh=[True])
    [entry] = find(client, "evt_1")
    assert entry.body == body
    assert before - 1 <= entry.received_ms <= time.time_ns() // 1_000_000 + 1
    assert entry.namespace == Namespace(account="acct_1", mode="test")
    assert (entry.id, entry.type) == ("evt_1", "customer.source.created")
    assert (entry.customer, entry.object, entry.request) == ("cus_1", "card_1", "req_1")
    assert len(entry.stored) < len(body) / 2


def test_the_same_event_with_the_same_bytes_is_a_duplicate(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body())
    assert append(client, event_body()).fresh == [False]
    assert client.xlen(LOG) == 1


def test_of_the_same_event_twice_in_one_batch_the_second_is_the_duplicate(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    one, other = event_body("evt_1"), event_body("evt_2")
    assert append(client, one, other, one).fresh == [True, True, False]
    assert client.hgetall(COUNTERS) == {b"accepted": b"2", b"duplicate": b"1"}


def test_the_same_id_with_other_bytes_is_another_event(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    first, second = event_body("evt_00000000000000"), event_body("evt_00000000000000", created=1)
    assert append(client, first, second).fresh == [True, True]
    assert [entry.body for entry in find(client, "evt_00000000000000")] == [first, second]


def test_appending_says_how_many_jobs_wait(client: redis.Redis, event_body: "EventBody") -> None:
    client.rpush(QUEUE, "job 1", "job 2")
    assert append(client, event_body()).waiting == 2


def test_a_full_batch_of_500_events_is_one_step(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    assert all(append(client, *[event_body(f"evt_{n}") for n in range(500)]).fresh)
    assert client.xlen(LOG) == 500


def test_an_event_without_a_request_is_indexed_by_its_id_only(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body(request=None))
    assert client.keys("onfile:index:*") == [index_bucket("evt_1").encode()]


# --- claim, acknowledge -------------------------------------------------------------------------


def test_what_was_appended_before_there_was_a_group_is_claimed(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body("evt_1"), event_body("evt_2"))
    assert [entry.id for entry in claim_new(client, "worker", 10)] == ["evt_1", "evt_2"]


def test_an_empty_store_has_nothing_to_claim(client: redis.Redis) -> None:
    assert claim_stuck(client, "worker", 0, 10) == []
    assert claim_new(client, "worker", 10) == []
    assert claim_stuck(client, "worker", 0, 10) == []


def test_two_workers_never_claim_the_same_entry(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, *[event_body(f"evt_{n}") for n in range(10)])
    first, second = claim_new(client, "one", 6), claim_new(client, "two", 6)
    assert [entry.id for entry in first + second] == [f"evt_{n}" for n in range(10)]


def test_a_claimed_entry_that_nobody_acknowledges_is_taken_over_once(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body("evt_1"), event_body("evt_2"))
    one, two = claim_new(client, "dead", 10)
    event_log.acknowledge(client, [one.entry_id])
    assert claim_stuck(client, "alive", 60_000, 10) == []
    claims.give_back(client, LOG, "dead", [two.entry_id], idle_ms=60_000, times=1)
    [(entry, deliveries)] = claim_stuck(client, "alive", 60_000, 10)
    assert (entry.id, deliveries) == ("evt_2", 2)
    assert claim_stuck(client, "third", 60_000, 10) == []


def test_what_is_put_back_counts_as_never_taken(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body())
    [entry] = claim_new(client, "worker", 1)
    event_log.put_back(client, "worker", [])
    event_log.put_back(client, "worker", [entry.entry_id])
    [(again, deliveries)] = claim_stuck(client, "worker", 0, 10)
    assert (again, deliveries) == (entry, 1)


def test_acknowledging_works_on_a_pipeline_and_with_nothing(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body())
    [entry] = claim_new(client, "worker", 10)
    with client.pipeline() as pipe:
        event_log.acknowledge(pipe, [])
        event_log.acknowledge(pipe, [entry.entry_id])
        assert pipe.execute() == [1]


def test_a_group_made_twice_keeps_what_it_knows(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body())
    event_log.ensure_group(client)
    claim_new(client, "worker", 10)
    event_log.ensure_group(client)
    assert claim_new(client, "worker", 10) == []


def test_what_is_wrong_with_the_store_is_not_taken_for_a_missing_group(
    client: redis.Redis,
) -> None:
    client.set(LOG, "not a stream")
    for wrong in (
        lambda: claim_new(client, "worker", 1),
        lambda: claim_stuck(client, "worker", 0, 1),
        lambda: event_log.ensure_group(client),
    ):
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            wrong()


# --- find, states, applied ----------------------------------------------------------------------


def test_entries_are_read_by_their_ids_in_any_order_and_lost_ones_left_out(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, *[event_body(f"evt_{n}") for n in range(5)])
    one, two, three, four, five = [e.entry_id for e in event_log.claim_new(client, "worker", 5)]

    def read(*entry_ids: str) -> list[str]:
        return [entry.entry_id for entry in event_log.fetch(client, entry_ids)]

    assert read() == []
    assert read(two, three, four) == [two, three, four]
    assert read(one, three, five) == [one, three, five]
    assert read(five, one) == [five, one]
    client.xdel(LOG, three)
    assert read(two, three, four) == [two, four]


def test_an_id_that_no_event_can_have_finds_nothing(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body())
    assert find(client, "*") == find(client, "evt_?") == find(client, "") == []


def test_a_request_finds_all_its_events_in_the_order_they_came(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body("evt_2"), event_body("evt_1"), event_body("evt_3", request="req_2"))
    assert [entry.id for entry in find(client, "req_1")] == ["evt_2", "evt_1"]


def test_each_state_is_told(client: redis.Redis, event_body: "EventBody") -> None:
    append(client, *[event_body(f"evt_{n}") for n in range(5)])
    ids = [find(client, f"evt_{n}")[0].entry_id for n in range(5)]
    assert states(client, ids) == ["pending"] * 5
    entries = claim_new(client, "worker", 4)
    assert states(client, ids) == ["pending"] * 5
    event_log.acknowledge(client, ids[:3])
    fail(client, entries[1], "retrying")
    fail(client, entries[2], "failed")
    assert states(client, ids) == ["applied", "retrying", "failed", "pending", "pending"]
    assert states(client, []) == []


def applied(store: "Store", event_or_request: str, namespace: Namespace = TEST) -> bool:
    """Ask as the web does."""

    async def ask() -> bool:
        async with connect_async(store.url) as client:
            return await event_log.applied(client, namespace, event_or_request)

    return asyncio.run(ask())


def test_a_request_is_applied_when_all_its_events_so_far_are(
    store: "Store", client: redis.Redis, event_body: "EventBody"
) -> None:
    assert not applied(store, "req_1")
    append(client, event_body("evt_1"), event_body("evt_2"))
    one, two = claim_new(client, "worker", 10)
    event_log.acknowledge(client, [one.entry_id])
    assert applied(store, "evt_1")
    assert not applied(store, "evt_2")
    assert not applied(store, "req_1")
    event_log.acknowledge(client, [two.entry_id])
    assert applied(store, "req_1")
    assert not applied(store, "req_*")
    assert not applied(store, "req_2")


def test_another_namespace_never_learns_of_an_event(
    store: "Store", client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body(account="acct_1"))
    event_log.acknowledge(client, [entry.entry_id for entry in claim_new(client, "worker", 1)])
    assert applied(store, "evt_1", Namespace(account="acct_1", mode="test"))
    assert not applied(store, "evt_1", Namespace(account="acct_1", mode="live"))
    assert not applied(store, "evt_1", TEST)


def test_an_event_that_failed_for_good_holds_up_no_reader_of_its_request(
    store: "Store", client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body("evt_1"), event_body("evt_2"))
    one, two = claim_new(client, "worker", 10)
    event_log.acknowledge(client, [one.entry_id, two.entry_id])
    fail(client, two, "retrying")
    assert not applied(store, "req_1")
    fail(client, two, "failed")
    assert applied(store, "req_1")
    assert not applied(store, "evt_2")


# --- backlog ------------------------------------------------------------------------------------


def test_the_backlog_counts_what_is_taken_and_what_is_not(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    empty = backlog_of.backlog(client)
    assert (empty.pending, empty.oldest_ms, empty.failing) == (0, None, 0)
    append(client, *[event_body(f"evt_{n}") for n in range(5)])
    groupless = backlog_of.backlog(client)
    assert (groupless.untaken, groupless.taken) == (5, 0)
    entries = claim_new(client, "worker", 3)
    time.sleep(0.02)
    taken = backlog_of.backlog(client)
    assert (taken.untaken, taken.taken, taken.pending) == (2, 3, 5)
    assert taken.oldest_ms is not None
    assert taken.oldest_ms >= 20
    event_log.acknowledge(client, [entry.entry_id for entry in entries])
    fail(client, entries[0], "failed")
    left = backlog_of.backlog(client)
    assert (left.pending, left.failing) == (2, 1)
    assert left.oldest_ms is not None


def test_the_backlog_is_counted_also_where_the_store_has_lost_its_count(
    store: "Store", client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, *[event_body(f"evt_{n}") for n in range(6)])
    claim_new(client, "worker", 2)
    client.xdel(LOG, find(client, "evt_4")[0].entry_id)
    [group] = client.xinfo_groups(LOG)
    assert group["lag"] is None

    async def ask() -> backlog_of.Backlog:
        async with connect_async(store.url) as web:
            return await backlog_of.backlog_async(web)

    assert asyncio.run(ask()).untaken == backlog_of.backlog(client).untaken == 3


# --- retention ----------------------------------------------------------------------------------


def test_trimming_takes_old_applied_entries_and_all_that_led_to_them(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body("evt_1"), event_body("evt_2", request=None))
    event_log.acknowledge(client, [entry.entry_id for entry in claim_new(client, "worker", 10)])
    assert trim(client, 3_600_000) == Trimmed(removed=0, next_start=None)
    time.sleep(0.005)
    assert trim(client, 1) == Trimmed(removed=2, next_start=None)
    assert client.xlen(LOG) == 0
    assert client.keys("onfile:index:*") == []
    assert append(client, event_body("evt_1")).fresh == [True]


def test_trimming_never_takes_what_is_pending_retrying_or_failed(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, *[event_body(f"evt_{n}") for n in range(5)])
    entries = claim_new(client, "worker", 4)
    event_log.acknowledge(client, [entry.entry_id for entry in entries[:3]])
    fail(client, entries[0], "retrying")
    fail(client, entries[1], "failed")
    time.sleep(0.005)
    assert trim(client, 1).removed == 1
    assert [n for n in range(5) if find(client, f"evt_{n}")] == [0, 1, 3, 4]


def test_trimming_goes_on_where_it_stopped_whatever_stays(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, *[event_body(f"evt_{n}") for n in range(7)])
    entries = claim_new(client, "worker", 7)
    event_log.acknowledge(client, [entry.entry_id for entry in entries])
    for entry in entries[:3]:
        fail(client, entry, "failed")
    time.sleep(0.005)
    removed, start, calls = 0, "-", 0
    while start:
        done = trim(client, 1, start=start, count=2)
        removed, start, calls = removed + done.removed, done.next_start or "", calls + 1
    assert (removed, calls) == (4, 4)


def test_trimming_leaves_the_other_event_of_the_same_id(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body("evt_0", created=1), event_body("evt_0", created=2))
    one, two = claim_new(client, "worker", 2)
    event_log.acknowledge(client, [one.entry_id])
    time.sleep(0.005)
    assert trim(client, 1).removed == 1
    assert [entry.entry_id for entry in find(client, "evt_0")] == [two.entry_id]
    assert client.xpending(LOG, GROUP)["pending"] == 1
