"""Three histories that break those who think that order is time."""

from collections.abc import Callable
from typing import Any

import pytest

from service.sandbox.clock import ManualClock
from service.sandbox.stripe import Answer, Stripe

Call = Callable[..., Answer]


@pytest.fixture
def customer(call: Call) -> str:
    return str(call("POST", "/v1/customers").body["id"])


@pytest.fixture
def add(call: Call, customer: str) -> Callable[[str], Any]:
    def post(source: str) -> Any:
        return call("POST", f"/v1/customers/{customer}/sources", {"source": source}).body["id"]

    return post


@pytest.fixture
def default(call: Call, customer: str) -> Callable[[], Any]:
    return lambda: call("GET", f"/v1/customers/{customer}").body["default_source"]


def test_two_cards_in_one_second_the_default_deleted_then_another_added(
    account: Stripe,
    call: Call,
    clock: ManualClock,
    add: Callable[[str], Any],
    default: Callable[[], Any],
) -> None:
    first, second = add("tok_visa"), add("tok_mastercard")
    seconds = {event["created"] for event in account.events}
    assert len(seconds) == 1
    assert default() == first
    clock.advance(1)
    customer = account.events[0]["data"]["object"]["id"]
    call("DELETE", f"/v1/customers/{customer}/sources/{first}")
    assert default() == second
    third = add("tok_amex")
    assert default() == second
    listed = call("GET", f"/v1/customers/{customer}/sources").body["data"]
    assert [source["id"] for source in listed] == [third, second]


def test_a_source_detached_before_its_creation_is_delivered(
    account: Stripe,
    call: Call,
    customer: str,
    add: Callable[[str], Any],
    default: Callable[[], Any],
) -> None:
    made = call("POST", "/v1/sources", {"type": "card", "token": "tok_visa"}).body["id"]
    add(made)
    call("DELETE", f"/v1/customers/{customer}/sources/{made}")
    assert default() is None
    # All of it in one second: only the requests and what each event shows tell the order.
    told = {event["type"]: event for event in account.events[1:]}
    assert len({event["created"] for event in told.values()}) == 1
    created, deleted = told["customer.source.created"], told["customer.source.deleted"]
    assert created["request"]["id"] != deleted["request"]["id"]
    assert created["data"]["object"]["customer"] == customer
    assert "customer" not in deleted["data"]["object"]
    assert told["payment_method.detached"]["data"]["previous_attributes"] == {"customer": customer}


def test_a_customer_with_twenty_sources_is_deleted_in_one_event(
    account: Stripe, call: Call, customer: str, add: Callable[[str], Any]
) -> None:
    cards = [add("tok_visa") for _ in range(20)]
    before = len(account.events)
    assert before == 1 + 1 + 2 * 20
    call("DELETE", f"/v1/customers/{customer}")
    assert [event["type"] for event in account.events[before:]] == ["customer.deleted"]
    assert call("GET", f"/v1/customers/{customer}").body == {
        "id": customer,
        "object": "customer",
        "deleted": True,
    }
    for card in cards:
        path = f"/v1/customers/{customer}/sources/{card}"
        assert account.call("GET", path).status == 404
        assert account.call("DELETE", path).status == 404
    assert len(account.events) == before + 1
