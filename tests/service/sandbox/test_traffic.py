"""The random operations: the same seed does the same, and everything happens."""

from collections import Counter

from service.sandbox.clock import ManualClock
from service.sandbox.stripe import Stripe
from service.sandbox.traffic import Traffic

START = 1_700_000_000
OPERATIONS = 600


def lived(seed: int) -> tuple[Stripe, Traffic]:
    clock = ManualClock(START)
    stripe = Stripe(clock=clock, seed=seed)
    traffic = Traffic(stripe, clock, seed)
    for _ in range(OPERATIONS):
        assert traffic.operate().status == 200
    return stripe, traffic


def test_the_same_seed_does_the_same_things_again() -> None:
    assert lived(1)[0].events == lived(1)[0].events
    assert lived(1)[0].events != lived(2)[0].events


def test_every_kind_of_thing_happens_and_many_in_one_second() -> None:
    stripe, traffic = lived(3)
    types = Counter(event["type"] for event in stripe.events)
    assert types.keys() >= {
        "customer.created",
        "customer.updated",
        "customer.deleted",
        "customer.source.created",
        "customer.source.updated",
        "customer.source.deleted",
        "payment_method.attached",
        "payment_method.updated",
        "payment_method.detached",
        "source.chargeable",
    }
    seconds = Counter(event["created"] for event in stripe.events)
    assert sum(n for n in seconds.values() if n > 1) > len(stripe.events) / 2
    assert set(traffic.sources.values()) <= set(traffic.customers)
