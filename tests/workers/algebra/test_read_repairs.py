"""Reads repair whatever was lost, wherever in the stream of events they arrive."""

from random import Random
from typing import Any

import msgspec
import pytest

from service.event_types import READ_TYPE
from service.sandbox.clock import ManualClock
from service.sandbox.stripe import Stripe
from service.sandbox.traffic import Traffic
from tests.workers import notation
from tests.workers.fold import Fold, facts_told
from tests.workers.test_reads import facts_read
from workers.algebra.facts import Facts

START = 1_700_000_000
LOST_SHARE = 0.3


def shown(stripe: Stripe, customer: str) -> dict[str, Any]:
    """Return a customer as a read shows it, with all its sources."""
    body = stripe.call("GET", f"/v1/customers/{customer}").body
    if body.get("deleted"):
        return body
    path = f"/v1/customers/{customer}/sources"
    return body | {"sources": stripe.call("GET", path, {"limit": 100}).body}


def read_of(stripe: Stripe, customer: str, second: int) -> Facts:
    """Return the facts of a read of a customer as it is now."""
    reading = {"id": customer, "customer": shown(stripe, customer), "gone": []}
    return facts_read(notation.event(READ_TYPE, reading, second))


def differing(fold: Fold, stripe: Stripe, customer: str) -> list[str]:
    """Return in what an answer differs from Stripe's: default, order (and the set), object."""
    answer, now = fold.customer(customer), shown(stripe, customer)
    if answer.deleted or now.get("deleted"):
        return [] if answer.deleted == bool(now.get("deleted")) else ["deleted"]
    theirs = {source["id"]: source for source in now.pop("sources")["data"]}
    ours = {source.id: msgspec.json.decode(source.body) for source in answer.sources}
    same = {
        "default": answer.default == (now["default_source"] or ""),
        "order": list(ours) == list(theirs),
        "object": ours == theirs
        and msgspec.json.decode(answer.body) | {"default_source": now["default_source"]} == now,
    }
    return [what for what, is_same in same.items() if not is_same]


@pytest.mark.parametrize("seed", range(8))
def test_after_a_read_every_answer_is_stripes_and_says_so(seed: int) -> None:
    clock, chance = ManualClock(START), Random(seed)  # noqa: S311 - no secret
    stripe = Stripe(clock=clock, seed=seed)
    traffic = Traffic(stripe, clock, seed)
    for _ in range(150):
        traffic.operate()
    clock.advance(1)
    kept = [event for event in stripe.events if chance.random() > LOST_SHARE]
    told = [facts_told(msgspec.json.encode(event)) for event in kept]
    told += [read_of(stripe, customer, int(clock.now())) for customer in traffic.customers]
    chance.shuffle(told)
    fold = Fold(told)
    for customer in traffic.customers:
        assert not differing(fold, stripe, customer)
        answer = fold.customer(customer)
        assert (answer.basis, answer.ambiguous) == ("confirmed", [])


@pytest.mark.parametrize("seed", range(8))
def test_a_read_in_the_middle_of_everything_makes_no_answer_wrong_unsaid(seed: int) -> None:
    clock, chance = ManualClock(START), Random(seed)  # noqa: S311 - no secret
    stripe = Stripe(clock=clock, seed=seed)
    traffic = Traffic(stripe, clock, seed)
    told = []
    for _ in range(150):
        traffic.operate()
        late = chance.choice((0, 0, 1))  # a read's second is a bound from below
        told.append(read_of(stripe, chance.choice(traffic.customers), int(clock.now()) - late))
    told += [facts_told(msgspec.json.encode(event)) for event in stripe.events]
    chance.shuffle(told)
    fold = Fold(told)
    for customer in traffic.customers:
        assert {*differing(fold, stripe, customer)} <= {*fold.customer(customer).ambiguous}
