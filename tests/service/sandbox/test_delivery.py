"""Delivery over real sockets: signed, tried again, in any weather, and until all is there."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from service.sandbox.endpoints import Endpoint
from service.sandbox.weather import Weather
from service.signature import match, verify
from tests.service.sandbox.stripe_schemas import judge

if TYPE_CHECKING:
    from tests.service.sandbox.conftest import Receiver, Sandbox

SECRET = "whsec_sandbox_tests"
NOBODY = "http://127.0.0.1:9/webhooks"

Delivering = Callable[..., "Sandbox"]


def fill(sandbox: "Sandbox", customers: int = 1) -> list[str]:
    """Cause two events a customer and return the ids of all."""
    for number in range(customers):
        sandbox.client.v1.customers.create({"source": "tok_visa", "name": f"Jörg {number}"})
    return [event["id"] for event in sandbox.stripe.events]


def ids(receiver: "Receiver") -> list[str]:
    return [json.loads(each.body)["id"] for each in receiver.received]


def test_every_event_is_delivered_signed_and_as_stripe_writes_it(
    delivering: Delivering, receiver: "Receiver"
) -> None:
    sandbox = delivering()
    told = fill(sandbox, 3)
    sandbox.settle()
    assert sorted(ids(receiver)) == sorted(told)
    for each in receiver.received:
        verify(each.body, each.signature, [SECRET], now=time.time())
        assert each.content_type == "application/json; charset=utf-8"
        event = json.loads(each.body)
        judge(event)
        assert event in sandbox.stripe.events
        assert event["pending_webhooks"] == 1
    assert sandbox.client.v1.events.retrieve(told[0]).pending_webhooks == 0


def test_while_a_secret_is_rolled_both_sign(delivering: Delivering, receiver: "Receiver") -> None:
    both = Endpoint(receiver.url, ("whsec_old", "whsec_new"))
    sandbox = delivering(both)
    fill(sandbox)
    sandbox.settle()
    rolled = [each for each in receiver.received if each.signature.count("v1=") == 2]
    assert len(rolled) == 2
    for each in rolled:
        for place, secret in enumerate(("whsec_old", "whsec_new")):
            secrets = ["whsec_other", secret]
            assert match(each.body, each.signature, secrets, now=time.time()) == 1, place
    assert len(receiver.received) == 4


@pytest.mark.parametrize("status", [301, 400, 404, 500, 503])
def test_anything_but_2xx_is_tried_again(
    delivering: Delivering, receiver: "Receiver", status: int
) -> None:
    receiver.answers = [status, status, 204]
    sandbox = delivering()
    sandbox.stripe.events.clear()
    sandbox.client.v1.customers.create()
    sandbox.settle()
    first, second, third = receiver.received
    assert first.body == second.body == third.body
    assert first.signature
    tally = sandbox.delivery.tally
    assert (tally.sent, tally.refused, tally.taken, tally.events) == (3, 2, 1, 1)


def test_an_endpoint_that_is_away_leaves_events_pending(
    delivering: Delivering, receiver: "Receiver"
) -> None:
    sandbox = delivering(Endpoint(NOBODY, ("whsec_x",)), retry=60)
    (event_id, _) = fill(sandbox)
    deadline = time.monotonic() + 20
    while sandbox.delivery.tally.taken < 2 or sandbox.delivery.tally.refused < 2:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    client = sandbox.client
    assert json.loads(receiver.received[0].body)["pending_webhooks"] == 2
    assert client.v1.events.retrieve(event_id).pending_webhooks == 1
    assert len(client.v1.events.list({"delivery_success": False}).data) == 2
    assert client.v1.events.list({"delivery_success": True}).data == []


def test_a_delivered_event_is_listed_as_success(delivering: Delivering) -> None:
    sandbox = delivering()
    told = fill(sandbox)
    sandbox.settle()
    listed = sandbox.client.v1.events.list({"delivery_success": True}).data
    assert sorted(event.id for event in listed) == sorted(told)
    assert sandbox.client.v1.events.list({"delivery_success": False}).data == []


def test_a_storm_brings_everything_at_last(delivering: Delivering, receiver: "Receiver") -> None:
    weather = Weather(seed=3, shuffle=0.3, duplicate=0.4, lose=0.3)
    sandbox = delivering(weather=weather)
    told = fill(sandbox, 20)
    sandbox.settle()
    seen = Counter(ids(receiver))
    assert set(seen) == set(told)
    assert list(dict.fromkeys(ids(receiver))) != told
    tally = sandbox.delivery.tally
    assert seen.total() == len(told) + tally.duplicates
    assert tally.duplicates
    assert tally.lost
    assert all(count == 0 for count in sandbox.stripe.pending.values())


def test_who_waits_is_told_when_all_is_delivered(
    delivering: Delivering, receiver: "Receiver"
) -> None:
    sandbox = delivering(weather=Weather(delay=0.2))
    fill(sandbox, 2)

    def ask(wait: int) -> Any:
        path = f"/v1/test_helpers/deliveries?wait={wait}"
        return json.loads(sandbox.fetch(path, Authorization="Bearer sk_test_1")[2])

    assert ask(0)["open"] == 4
    done = ask(10)
    assert (done["open"], done["events"], done["taken"]) == (0, 4, 4)
    assert len(receiver.received) == 4


def test_who_waits_in_vain_is_told_that_too(delivering: Delivering) -> None:
    sandbox = delivering(weather=Weather(delay=600))
    fill(sandbox)
    path = "/v1/test_helpers/deliveries?wait=1"
    _, _, body = sandbox.fetch(path, Authorization="Bearer sk_test_1")
    assert json.loads(body)["open"] == 2


def test_requests_from_many_sides_leave_one_consistent_account(delivering: Delivering) -> None:
    sandbox = delivering()
    customer = sandbox.client.v1.customers.create().id

    def add() -> None:
        for _ in range(5):
            sandbox.client.v1.customers.payment_sources.create(customer, {"source": "tok_visa"})

    sides = [threading.Thread(target=add) for _ in range(6)]
    for side in sides:
        side.start()
    for side in sides:
        side.join()
    sandbox.settle()
    listed = sandbox.client.v1.customers.payment_sources.list(customer, {"limit": 100}).data
    assert len(listed) == 30
    updates = [event for event in sandbox.events() if event == "customer.updated"]
    assert len(updates) == 1
    shown = sandbox.client.v1.customers.retrieve(customer)
    assert shown.default_source == listed[-1].id


def test_an_endpoint_that_speaks_no_http_or_hangs_up_is_tried_again(
    delivering: Delivering, receiver: "Receiver"
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        replies = [b"what?\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"]

        def serve() -> None:
            for reply in replies:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(reply)

        serving = threading.Thread(target=serve)
        serving.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        sandbox = delivering(Endpoint(url, ("whsec_x",)))
        sandbox.client.v1.customers.create()
        sandbox.settle()
        serving.join()
    tally = sandbox.delivery.tally
    assert (tally.refused, tally.taken, len(receiver.received)) == (2, 2, 1)


def test_a_connection_that_went_stale_is_made_anew(
    delivering: Delivering, receiver: "Receiver"
) -> None:
    receiver.hang_up_after_answering = True
    sandbox = delivering()
    for _ in range(3):
        fill(sandbox)
        sandbox.settle()
    assert len(receiver.received) == len(set(ids(receiver))) == 6
