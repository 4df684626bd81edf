"""Catching up: from when to when, and what of it is remembered."""

import time
from collections.abc import Iterator

import msgspec
import pytest

from service.keys import CATCH_UPS, Namespace
from service.settings import Settings
from tests.stripe_side import KEY, StripeSide, running
from tests.workers.operators.bench import Bench
from workers.asking.api import StripeApi
from workers.operators import catch_up, caught_up
from workers.operators.catch_up import OVERLAP_SECONDS
from workers.operators.caught_up import ALARM_SECONDS, KEPT_SECONDS, Position
from workers.operators.status import status
from workers.operators.work_checks import work_findings

TEST = Namespace(account="", mode="test")


@pytest.fixture(scope="module")
def stripe_side() -> Iterator[StripeSide]:
    with running() as side:
        for _ in range(60):
            side.traffic.operate()
        yield side


@pytest.fixture
def api(stripe_side: StripeSide) -> StripeApi:
    settings = Settings(redis_url="", stripe_keys=(KEY,), stripe_url=stripe_side.url)
    return StripeApi(settings, TEST, per_second=1000)


def test_all_that_stripe_has_is_fetched_once(
    bench: Bench, api: StripeApi, stripe_side: StripeSide
) -> None:
    happened = [event["id"] for event in stripe_side.stripe.events]
    bench.accept(*(msgspec.json.encode(event) for event in stripe_side.stripe.events[::2]))
    [*_, last] = catch_up.catch_up(bench.log, api)
    assert (last.looked_at, last.missing) == (len(happened), len(happened) // 2)
    assert sorted(bench.event_ids()) == sorted(happened)
    bench.drain()
    [*_, again] = catch_up.catch_up(bench.log, api, since=0)
    assert again.missing == 0


def test_an_event_that_another_account_has_is_not_taken_for_ours(
    bench: Bench, api: StripeApi, stripe_side: StripeSide
) -> None:
    [*_, event] = stripe_side.stripe.events
    bench.accept(msgspec.json.encode({**event, "account": "acct_1"}))
    [*_, last] = catch_up.catch_up(bench.log, api)
    assert last.missing == len(stripe_side.stripe.events)


def test_it_begins_a_little_before_the_last_good_moment(bench: Bench, api: StripeApi) -> None:
    before = Position(until=api.now() - 1000)
    bench.log.hset(CATCH_UPS, TEST.text, msgspec.json.encode(before))
    next(catch_up.catch_up(bench.log, api))
    begun = caught_up.position(bench.log, TEST)
    assert begun.since == before.until - OVERLAP_SECONDS
    for _ in catch_up.catch_up(bench.log, api):
        pass
    assert caught_up.position(bench.log, TEST) == Position(until=begun.began)


def test_a_run_that_leaves_a_gap_does_not_hide_it(bench: Bench, api: StripeApi) -> None:
    before = Position(until=api.now() - 10_000)
    bench.log.hset(CATCH_UPS, TEST.text, msgspec.json.encode(before))
    for _ in catch_up.catch_up(bench.log, api, since=api.now() - 60):
        pass
    assert caught_up.position(bench.log, TEST) == before


def test_a_cursor_that_stripe_no_longer_knows_begins_its_pass_anew(
    bench: Bench, api: StripeApi, stripe_side: StripeSide
) -> None:
    now = api.now()
    broken = Position(since=now - 7200, began=now, after="evt_beyond_thirty_days")
    bench.log.hset(CATCH_UPS, TEST.text, msgspec.json.encode(broken))
    [*_, last] = catch_up.catch_up(bench.log, api)
    assert last.looked_at == len(stripe_side.stripe.events)


def test_a_gap_that_nears_thirty_days_is_an_alarm(bench: Bench) -> None:
    assert status(bench.desk, sample_seconds=0).caught_up == []
    old = Position(until=time.time() - ALARM_SECONDS - 60)
    bench.log.hset(CATCH_UPS, TEST.text, msgspec.json.encode(old))
    seen = status(bench.desk, sample_seconds=0)
    assert [gap.alarming for gap in seen.caught_up] == [True]
    found = {one.check: one for one in work_findings(seen, bench.log, retention_days=30)}
    assert found["caught_up"].level == "trouble"
    assert not caught_up.is_beyond_reach(old, time.time())
    assert caught_up.is_beyond_reach(old, old.until + KEPT_SECONDS + 1)


def test_an_event_of_a_connected_account_names_it() -> None:
    connected = Namespace(account="acct_1", mode="test")
    assert catch_up.of_account(b'{"id":"evt_1"}', TEST) == b'{"id":"evt_1"}'
    assert catch_up.of_account(b'{"id":"e"}', connected) == b'{"id":"e","account":"acct_1"}'
    assert catch_up.of_account(b'{"account":"acct_2"}', connected) == b'{"account":"acct_2"}'
