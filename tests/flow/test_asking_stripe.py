"""What deliveries could not bring, read from Stripe by real processes, killed in the middle."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from service.event_types import READ_TYPE
from service.keys import BACKFILLS, CATCH_UPS, LOG
from tests.stripe_side import StripeSide, running

if TYPE_CHECKING:
    from tests.flow.conftest import Service

NAMESPACE = "test:"


@pytest.fixture
def stripe_side() -> Iterator[StripeSide]:
    with running() as side:
        yield side


@pytest.fixture
def asking(service: "Service", stripe_side: StripeSide) -> "Asking":
    return Asking(service, stripe_side)


class Asking:
    """Onfile and a Stripe that it may ask; deliveries are made by hand."""

    def __init__(self, service: "Service", side: StripeSide) -> None:
        self.service = service
        self.environ = side.environ()

    def deliver(self, *events: Any) -> None:
        for event in events:
            assert self.service.deliver(event).status == 200

    def run(self, *command: str, status: int = 0) -> Any:
        """Run a command to its end and return what it says in JSON."""
        done = self.service.run(*command, "--json", **self.environ)
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout)

    def kill(self, *command: str, when: Callable[[], object]) -> None:
        """Start a command and kill it as soon as something is true."""
        process = self.service.start(*command, **self.environ)
        while not when():
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
        process.wait()

    def reads(self) -> int:
        """Return how many reads the log holds."""
        with self.service.store.client() as client:
            return sum(fields[b"type"] == READ_TYPE.encode() for _, fields in client.xrange(LOG))


def test_events_lost_for_good_are_caught_up_with(
    asking: Asking, stripe_side: StripeSide, eventually: Callable[..., Any]
) -> None:
    service = asking.service
    service.web()
    service.worker()
    for _ in range(200):
        stripe_side.traffic.operate()
    happened = stripe_side.stripe.events
    lost = happened[::10]
    asking.deliver(*(event for event in happened if event not in lost))
    eventually(service.settled)
    assert stripe_side.wrong(service.ask)
    with service.store.client() as client:
        asking.kill(
            *("catch-up", "--rate", "3"),
            when=lambda: b'"after":"evt_' in (client.hget(CATCH_UPS, NAMESPACE) or b""),
        )
    assert asking.run("catch-up")["missing"] < len(lost)
    eventually(service.settled)
    assert not stripe_side.wrong(service.ask)
    assert asking.run("catch-up")["missing"] == 0


def test_a_lost_projection_is_read_from_stripe_while_events_go_on_coming(
    asking: Asking, stripe_side: StripeSide, eventually: Callable[..., Any]
) -> None:
    service = asking.service
    service.web()
    service.worker()
    before_us = [stripe_side.create(source="tok_visa") for _ in range(110)]
    for _ in range(60):
        asking.deliver(*stripe_side.traffic.operate().events)
    eventually(service.settled)
    stripe_side.clock.live = True
    done = threading.Event()

    def go_on() -> None:
        while not done.wait(0.02):
            asking.deliver(*stripe_side.traffic.operate().events)

    with service.store.client() as client:
        for key in client.scan_iter(match="onfile:[cs]:*"):
            client.delete(key)
        live = threading.Thread(target=go_on)
        live.start()
        try:
            asking.kill(
                *("backfill", "--rate", "3"), when=lambda: client.hexists(BACKFILLS, NAMESPACE)
            )
            told = asking.run("backfill", "--rate", "3")
        finally:
            done.set()
            live.join()
    assert told["resumed_after"] >= 100
    eventually(service.settled)
    like_these = {*before_us[5:]}
    living = [customer for customer in stripe_side.customers() if customer not in like_these]
    assert not stripe_side.wrong(service.ask, living)
    assert (
        service.ask(f"/v1/customers/{before_us[0]}").headers["Onfile-Default-Basis"] == "confirmed"
    )


def test_what_no_event_tells_is_found_and_repaired(
    asking: Asking, stripe_side: StripeSide, eventually: Callable[..., Any]
) -> None:
    service = asking.service
    service.web()
    service.worker()
    sources = []
    for _ in range(8):
        sources.append(stripe_side.call("POST", "/v1/sources", type="card", token="tok_visa")["id"])
        stripe_side.create(source=sources[-1])
    asking.deliver(*stripe_side.stripe.events)
    eventually(service.settled)
    for source in sources:
        stripe_side.call("POST", f"/v1/sources/{source}", metadata={"silent": "yes"})
    found = asking.run("reconcile", "--grace", "0", status=3)
    kinds = [one["differences"][0]["kind"] for one in found["customers"]]
    assert kinds == ["silent update"] * 8
    asking.kill("reconcile", "--repair", "--grace", "0", when=asking.reads)
    again = service.run("reconcile", "--repair", "--grace", "0", **asking.environ)
    assert again.returncode in {0, 3}, again.stderr
    eventually(service.settled)
    assert asking.run("reconcile", "--grace", "0")["same"] == 8
    assert not stripe_side.wrong(service.ask)
    assert asking.reads() == 8


def test_what_is_merely_pending_is_no_difference(asking: Asking, stripe_side: StripeSide) -> None:
    asking.service.web()
    customer = stripe_side.create(source="tok_visa")
    asking.deliver(*stripe_side.stripe.events)
    environ = asking.environ
    comparing = asking.service.start("reconcile", "--grace", "0", **environ)
    while "/v1/customers/" + customer not in stripe_side.asked:
        assert comparing.poll() is None
        time.sleep(0.005)
    asking.service.worker()
    assert comparing.wait(60) == 0


def test_an_ambiguous_answer_is_resolved_by_itself(
    asking: Asking, stripe_side: StripeSide, eventually: Callable[..., Any]
) -> None:
    service = asking.service
    service.web()
    customer = stripe_side.create()
    for _ in range(2):
        stripe_side.call("POST", f"/v1/customers/{customer}/sources", source="tok_visa")
    unheard = ("customer.updated", "payment_method.attached")
    asking.deliver(*(event for event in stripe_side.stripe.events if event["type"] not in unheard))
    worker = service.worker()
    eventually(service.settled)
    path = f"/v1/customers/{customer}"
    assert service.ask(path).headers["Onfile-Default-Basis"] == "ambiguous"
    worker.kill()
    service.worker(**asking.environ)
    eventually(lambda: service.ask(path).headers["Onfile-Default-Basis"] == "confirmed")
    assert not stripe_side.wrong(service.ask)
    assert "Onfile-Ambiguous" not in service.ask(path).headers
