"""An entry of the log: what is kept beside its body, and what the body is asked for."""

from typing import TYPE_CHECKING, Any

import pytest
import redis

from service import compression
from service.event import Event, read_event
from service.keys import LOG, Namespace
from service.log import event_log, standing
from service.log.entry import Entry, new_entry, read_entry, unlogged
from service.log.index import rows_of
from service.log.retention import trim

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.service.conftest import EventBody

TEST = Namespace(account="", mode="test")
ABOUT = ("id", "type", "account", "mode", "customer", "object", "request")


@pytest.fixture(name="client")
def a_client(store: "Store") -> redis.Redis:
    """Return a client of the emptied store."""
    return store.client()


def a_card(event_body: "EventBody", event_id: str = "evt_1") -> bytes:
    """Return the body of an event about a customer's card."""
    data = {"object": {"id": "card_1", "object": "card", "customer": "cus_1"}}
    return event_body(event_id, type="customer.source.created", data=data)


def append_as_before(client: redis.Redis, body: bytes) -> str:
    """Append an event as the first version of append.lua did, with all that it is about."""
    event = read_event(body)
    assert isinstance(event, Event)
    fields = {
        "id": event.id,
        "type": event.type,
        "account": event.namespace.account,
        "mode": event.namespace.mode,
        "customer": event.customer,
        "object": event.object_id,
        "request": event.request,
        "body": compression.compress(body),
    }
    entry_id: Any = client.xadd(LOG, fields)  # type: ignore[arg-type]
    milliseconds, _, number = entry_id.decode().partition("-")
    where = int(milliseconds).to_bytes(6, "big") + int(number).to_bytes(3, "big") + b"t"
    for row in rows_of(event.id, event.request, body):
        client.hset(row.bucket, row.field, where)
    return str(entry_id.decode())


def append(client: redis.Redis, body: bytes) -> None:
    event = read_event(body)
    assert isinstance(event, Event)
    client.script_load(event_log.APPEND_SCRIPT)
    client.execute_command(  # type: ignore[no-untyped-call]
        *event_log.append_command([new_entry(event, body)], "rq:queue:events")
    )


def test_an_entry_keeps_beside_its_body_only_what_tells_it_apart(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, a_card(event_body))
    items: Any = client.xrange(LOG)
    [(_, fields)] = items
    assert fields.keys() == {b"id", b"type", b"account", b"mode", b"body"}


def test_an_entry_of_the_first_version_reads_as_a_new_one_does(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append_as_before(client, a_card(event_body, "evt_1"))
    append(client, a_card(event_body, "evt_2"))
    before, now = event_log.claim_new(client, "worker", 10)
    assert [getattr(before, name) for name in ABOUT if name != "id"] == [
        getattr(now, name) for name in ABOUT if name != "id"
    ]
    assert before.id == "evt_1"
    assert before.body == a_card(event_body, "evt_1")


def test_an_entry_of_the_first_version_is_found_settled_and_trimmed(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    entry_id = append_as_before(client, a_card(event_body))
    assert [entry.entry_id for entry in event_log.find(client, "req_1")] == [entry_id]
    event_log.claim_new(client, "worker", 10)
    standing.settle(client, [entry_id])
    assert trim(client, older_than_ms=-1000).removed == 1
    assert event_log.find(client, "evt_1") == []
    assert client.keys("onfile:index:*") == []


def test_an_entry_out_of_the_log_is_about_the_same_as_in_it(event_body: "EventBody") -> None:
    body = a_card(event_body)
    event = read_event(body)
    assert isinstance(event, Event)
    entry = unlogged(7, event, body)
    assert (entry.customer, entry.object, entry.request) == ("cus_1", "card_1", "req_1")
    assert entry.namespace == TEST


@pytest.mark.parametrize("stored", [b'{"id": 1}', b"damaged"])
def test_an_entry_whose_body_cannot_be_read_still_has_its_name(stored: bytes) -> None:
    fields = {b"id": b"evt_1", b"type": b"customer.created", b"account": b"", b"mode": b"test"}
    entry: Entry = read_entry((b"1-0", fields | {b"body": stored}))
    assert (entry.id, entry.type, entry.namespace) == ("evt_1", "customer.created", TEST)
    assert (entry.customer, entry.object, entry.request) == ("", "", "")
