"""Which entries told of whom: packed, noted once, found again, gone with the log."""

import time
from typing import TYPE_CHECKING, Any

import pytest
import redis

from service.event import Event, read_event
from service.keys import Namespace, Subject, mentions_key
from service.log import mentions
from service.log.entry import new_entry
from service.log.event_log import APPEND_SCRIPT, acknowledge, append_command, claim_new
from service.log.retention import trim

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.service.conftest import EventBody

TEST = Namespace(account="", mode="test")
ANNA, BERT, LOOSE = (Subject(TEST, one) for one in ("cus_1", "cus_2", "src_1"))
MANY = ["1795310339000-0", "1795310339000-12", "1795310340123-2097151"]


@pytest.fixture(name="client")
def a_client(store: "Store") -> redis.Redis:
    return store.client()


def test_what_was_noted_is_found_again_in_the_order_of_the_log(client: redis.Redis) -> None:
    mentions.note(
        client,
        {ANNA: reversed(MANY), LOOSE: ["1795310339500-0"]},
    )
    mentions.note(client, {ANNA: MANY[:2], BERT: set()})
    assert mentions.entries_of(client, [ANNA]) == MANY
    both = mentions.entries_of(client, [ANNA, LOOSE])
    assert both == [*MANY[:2], "1795310339500-0", MANY[2]]
    assert mentions.entries_of(client, []) == []
    assert client.keys("onfile:m:*cus_2") == []


def test_an_entry_takes_eight_bytes(client: redis.Redis) -> None:
    key = mentions_key(*ANNA)
    mentions.note(client, {ANNA: [f"1795310339{n:03}-0" for n in range(200)]})
    assert client.object("encoding", key) == b"intset"
    used: Any = client.memory_usage(key)
    assert used < 200 * 8 * 1.25  # allocators round up, by a quarter at most


def test_it_goes_with_its_entry_and_a_newer_one_keeps_the_rest(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    event = read_event(event_body())
    assert isinstance(event, Event)
    client.script_load(APPEND_SCRIPT)
    client.execute_command(*append_command([new_entry(event, event_body())], "rq:queue:events"))  # type: ignore[no-untyped-call]
    [entry] = claim_new(client, "worker", 10)
    subject = (TEST, entry.customer or entry.object)
    mentions.note(client, {subject: [entry.entry_id, MANY[0]]})
    acknowledge(client, [entry.entry_id])
    while entry.received_ms >= time.time() * 1000 - 2:
        time.sleep(0.001)
    assert trim(client, 1).removed == 1
    while client.exists(mentions_key(*subject)):  # what is left expires with the retention
        time.sleep(0.001)
    mentions.note(client, {subject: MANY})
    assert client.ttl(mentions_key(*subject)) == -1
