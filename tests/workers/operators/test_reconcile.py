"""Reconciling: what counts as a difference, and what is left alone."""

from collections.abc import Iterator

import msgspec
import pytest

from service.keys import METERS, Namespace
from service.settings import Settings
from service.watch.meters import DIFFERENCES
from tests.stripe_side import KEY, StripeSide, running
from tests.workers.operators.bench import Bench, Handlers
from workers import admission
from workers.asking.api import StripeApi
from workers.asking.reads import read_customer
from workers.operators import batches, person
from workers.operators.forgetting import forget
from workers.operators.reconcile import Checked, reconcile

TEST = Namespace(account="", mode="test")


@pytest.fixture(scope="module")
def stripe_side() -> Iterator[StripeSide]:
    with running() as side:
        yield side


@pytest.fixture
def api(stripe_side: StripeSide) -> StripeApi:
    settings = Settings(redis_url="", stripe_keys=(KEY,), stripe_url=stripe_side.url)
    return StripeApi(settings, TEST, per_second=1000)


def told(side: StripeSide, bench: Bench, **details: str) -> str:
    """Make a customer at Stripe and have its events accepted."""
    before = len(side.stripe.events)
    customer = side.create(**details)
    bench.accept(*(msgspec.json.encode(event) for event in side.stripe.events[before:]))
    return customer


def checked(bench: Bench, api: StripeApi, customer: str, *, repair: bool = False) -> Checked:
    [one] = reconcile(bench.desk, api, [customer], repair=repair, grace_seconds=0)
    return one


def test_a_repaired_answer_is_stripes(
    bench: Bench, api: StripeApi, stripe_side: StripeSide
) -> None:
    customer = told(stripe_side, bench, source="tok_visa")
    bench.drain()
    assert checked(bench, api, customer).verdict == "same"
    [source] = stripe_side.call("GET", f"/v1/customers/{customer}/sources")["data"]
    stripe_side.call("DELETE", f"/v1/customers/{customer}/sources/{source['id']}")
    found = checked(bench, api, customer, repair=True)
    assert {one.kind for one in found.differences} == {"orphan", "wrong default"}
    assert found.repaired
    assert bench.log.hget(METERS, DIFFERENCES.field("wrong default")) == b"1"
    bench.drain()
    assert checked(bench, api, customer).verdict == "same"


def test_what_stripe_does_not_know_at_all_is_told_and_never_deleted(
    bench: Bench, api: StripeApi, stripe_side: StripeSide
) -> None:
    customer = told(stripe_side, bench)
    bench.drain()
    del stripe_side.stripe._accounts[""].books.customers[customer]
    found = checked(bench, api, customer, repair=True)
    assert ([one.kind for one in found.differences], found.repaired) == (["orphan"], False)
    assert checked(bench, api, "cus_nobody").verdict == "unknown"


def test_a_forgotten_customer_is_no_difference_and_is_not_read_again(
    bench: Bench, api: StripeApi, stripe_side: StripeSide
) -> None:
    customer = told(stripe_side, bench, name="Zoe Quirk")
    bench.drain()
    forget(bench.desk, person.find(bench.desk, TEST, customer))
    assert checked(bench, api, customer, repair=True).verdict == "forgotten"
    read = read_customer(api, customer, ())
    assert admission.append(bench.log, [read.body(api)]) == []


def test_what_is_still_being_tried_is_no_difference(
    bench: Bench, api: StripeApi, stripe_side: StripeSide, handlers: Handlers
) -> None:
    handlers.broken = True
    customer = told(stripe_side, bench)
    bench.drain()
    assert checked(bench, api, customer, repair=True).verdict == "unsettled"


def test_a_sample_is_of_ours(bench: Bench, api: StripeApi, stripe_side: StripeSide) -> None:
    ours = {told(stripe_side, bench) for _ in range(3)}
    stripe_side.create()
    bench.drain()
    assert set(batches.our_customers(bench.desk, api)) == ours
    sample = batches.sample(batches.our_customers(bench.desk, api), 2)
    assert (len(sample), set(sample) < ours) == (2, True)
