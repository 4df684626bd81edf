"""What `onfile up` has acknowledged is there after a stop in the middle of the work."""

import http.client
import itertools
import json
import signal
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from service.signature import sign
from workers.cli.parent import KERNEL_TELLS

if TYPE_CHECKING:
    from tests.workers.cli.conftest import Up

SENDERS = 4
ENOUGH = 300
"""Acknowledged deliveries after which the signal comes: a second's worth or so."""


class Load:
    """Senders that deliver new customers until nobody answers any more."""

    def __init__(self, up: "Up") -> None:
        self.port = int(up.env["PORT"])
        self.secret = up.env["STRIPE_WEBHOOK_SECRET"]
        self.numbers = itertools.count(1)
        self.acknowledged: list[str] = []
        self.senders = [threading.Thread(target=self.deliver) for _ in range(SENDERS)]
        for sender in self.senders:
            sender.start()

    def deliver(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        for number in self.numbers:
            body = created(f"cus_{number}", f"evt_{number}")
            signature = sign(body, self.secret, now=time.time())
            try:
                connection.request(
                    "POST", "/webhooks/stripe", body, {"Stripe-Signature": signature}
                )
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                break
            if answer.status == 200:
                self.acknowledged.append(f"cus_{number}")
        connection.close()

    def wait(self) -> None:
        for sender in self.senders:
            sender.join(30)
            assert not sender.is_alive()


def created(customer: str, event: str) -> bytes:
    fields = {"id": customer, "object": "customer", "created": 1_767_225_600, "livemode": False}
    return json.dumps(
        {
            "id": event,
            "object": "event",
            "type": "customer.created",
            "created": 1_767_225_600,
            "livemode": False,
            "data": {"object": {**fields, "default_source": None}},
        }
    ).encode()


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(
            signal.SIGKILL,
            marks=pytest.mark.skipif(not KERNEL_TELLS, reason="only Linux ends children with it"),
        ),
    ],
)
def test_a_stop_under_load_loses_nothing_that_was_acknowledged(
    start_up: Callable[..., "Up"], number: signal.Signals
) -> None:
    up = start_up("--workers", "2").wait_ready()
    load = Load(up)
    up.until(lambda: len(load.acknowledged) >= ENOUGH)
    assert up.stop(number) == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    load.wait()
    up.until(lambda: not up.alive)
    assert len(load.acknowledged) >= ENOUGH
    up = start_up().wait_ready()
    missing = set(load.acknowledged)

    def all_served() -> bool:
        missing.difference_update(
            [customer for customer in missing if up.get(f"/v1/customers/{customer}")[0] == 200]
        )
        return not missing

    up.until(all_served)
