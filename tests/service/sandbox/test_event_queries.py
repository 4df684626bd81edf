"""The Events API, by Stripe's own client."""

from typing import TYPE_CHECKING, Any

import pytest
import stripe as official

from service.sandbox.clock import ManualClock

if TYPE_CHECKING:
    from tests.service.sandbox.conftest import Sandbox

Client = official.StripeClient


@pytest.fixture
def told(sandbox: "Sandbox", clock: ManualClock) -> list[str]:
    """Six events in three seconds, newest first."""
    client = sandbox.client
    customer = client.v1.customers.create({"source": "tok_visa"}).id
    clock.advance(1)
    client.v1.customers.payment_sources.create(customer, {"source": "tok_amex"})
    clock.advance(1)
    client.v1.customers.update(customer, {"name": "B"})
    client.v1.customers.delete(customer)
    return [event["id"] for event in sandbox.stripe.events][::-1]


def ids(client: Client, **parameters: Any) -> list[str]:
    given: Any = parameters
    return [event.id for event in client.v1.events.list(given).auto_paging_iter()]


def test_events_are_listed_newest_first_and_one_is_retrieved(
    sandbox: "Sandbox", client: Client, told: list[str]
) -> None:
    assert ids(client) == told
    assert ids(client, limit=1) == told
    first = client.v1.events.retrieve(told[-1])
    assert first.to_dict() == sandbox.stripe.events[0]
    with pytest.raises(official.InvalidRequestError, match="No such event: 'evt_x'") as refused:
        client.v1.events.retrieve("evt_x")
    assert refused.value.http_status == 404


def test_events_are_listed_by_type(client: Client, told: list[str]) -> None:
    assert ids(client, type="customer.created") == told[5:]
    assert ids(client, type="customer.source.*") == [told[2], told[4]]
    assert ids(client, type="*") == told
    assert ids(client, types=["customer.deleted", "payment_method.attached"]) == [told[0], told[3]]
    assert ids(client, type="charge.succeeded") == []


def test_events_are_listed_by_second_and_cursor(
    client: Client, clock: ManualClock, told: list[str]
) -> None:
    now = int(clock.now())
    assert ids(client, created=now) == told[:2]
    assert ids(client, created={"gt": now - 2, "lte": now - 1}) == told[2:4]
    assert ids(client, created={"gte": now - 1}) == told[:4]
    assert ids(client, created={"lt": now - 1}) == told[4:]
    page = client.v1.events.list({"starting_after": told[1], "limit": 2})
    assert ([event.id for event in page.data], page.has_more) == (told[2:4], True)
    back = client.v1.events.list({"ending_before": told[4], "limit": 2})
    assert ([event.id for event in back.data], back.has_more) == (told[2:4], True)


def test_events_go_back_thirty_days(client: Client, clock: ManualClock, told: list[str]) -> None:
    clock.advance(30 * 24 * 3600 - 2)
    assert ids(client) == told[:4]
    with pytest.raises(official.InvalidRequestError, match="No such event"):
        client.v1.events.retrieve(told[5])


@pytest.mark.parametrize(
    ("parameters", "param", "message"),
    [
        ({"types": [f"a.{n}" for n in range(21)]}, "types", "exceeded maximum 20"),
        ({"type": "a", "types": ["b"]}, None, "only specify one of these parameters"),
        ({"type": ""}, "type", "empty string"),
        ({"delivery_success": "perhaps"}, "delivery_success", "must be one of true, or false"),
        ({"created": "yesterday"}, "created", "Invalid integer: yesterday"),
        ({"created": {"since": "1"}}, "created[since]", "unknown parameter"),
        ({"starting_after": "evt_x"}, "starting_after", "No such event: 'evt_x'"),
        ({"limit": "1000"}, "limit", "less than or equal to 100"),
    ],
)
def test_a_list_of_events_is_refused_by_what_is_wrong_with_it(
    sandbox: "Sandbox", parameters: dict[str, Any], param: str | None, message: str
) -> None:
    with pytest.raises(official.InvalidRequestError, match=message) as refused:
        sandbox.raw("get", "/v1/events", **parameters)
    assert refused.value.param == param


def test_twenty_types_are_not_too_many(client: Client, told: list[str]) -> None:
    assert ids(client, types=[*(f"a.{n}" for n in range(19)), "customer.deleted"]) == told[:1]
