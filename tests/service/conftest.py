"""Events as Stripe sends them, for the tests of what is done with them."""

import json
from typing import Protocol

import pytest


class EventBody(Protocol):
    """What makes a delivery's body."""

    def __call__(self, event_id: str = "evt_1", /, **fields: object) -> bytes: ...


@pytest.fixture
def event_body() -> EventBody:
    """Return the body of an event about a customer; fields of its envelope may be given."""

    def make(event_id: str = "evt_1", /, **fields: object) -> bytes:
        envelope = {
            "id": event_id,
            "object": "event",
            "api_version": "2020-08-27",
            "created": 1_652_289_172,
            "data": {"object": {"id": "cus_1", "object": "customer"}},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": "req_1", "idempotency_key": None},
            "type": "customer.created",
        } | fields
        return json.dumps(envelope, indent=2).encode()

    return make
