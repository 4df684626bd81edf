"""Reading Stripe over HTTP: how fast, how patiently, and what is said when it does not work."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from service.keys import LOG, Namespace
from service.log.entry import read_entry
from service.settings import Settings
from tests.stripe_side import KEY, StripeSide, running
from tests.workers import notation
from tests.workers.operators.bench import bench_on
from workers import admission
from workers.algebra.objects import fields_of
from workers.asking.api import LIMITED_TRIES, StripeApi
from workers.asking.errors import (
    CursorError,
    ForeignAnswerError,
    KeyRefusedError,
    NoKeyError,
    NotFoundError,
    StripeReadError,
)
from workers.asking.reads import Read, read_customer, read_page
from workers.asking.settled import open_api
from workers.operators import backfill, catch_up, reconcile

if TYPE_CHECKING:
    from tests.conftest import Store

TEST = Namespace(account="", mode="test")


@pytest.fixture(scope="module")
def stripe_side() -> Iterator[StripeSide]:
    with running() as side:
        yield side


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def api(stripe_side: StripeSide, slept: list[float]) -> StripeApi:
    return api_of(stripe_side.url, slept)


def api_of(url: str, slept: list[float], *, key: str = KEY, per_second: float = 1000) -> StripeApi:
    settings = Settings(redis_url="redis://nowhere", stripe_keys=(key,), stripe_url=url)
    return StripeApi(settings, TEST, per_second=per_second, sleep=slept.append)


def test_too_many_requests_are_obeyed_as_stripe_says(
    stripe_side: StripeSide, api: StripeApi, slept: list[float]
) -> None:
    stripe_side.refusals[:] = [
        (429, {"Retry-After": "7"}),
        (429, {}),
        (429, {"Retry-After": "9999"}),
    ]
    assert api.get("/v1/customers").asked_at > 0
    assert [pause for pause in slept if pause >= 1] == [7.0, 2.0, 60.0]


def test_stripe_that_never_has_time_ends_it_with_a_sentence(
    stripe_side: StripeSide, api: StripeApi
) -> None:
    stripe_side.refusals[:] = [(429, {"Retry-After": "1"})] * LIMITED_TRIES
    with pytest.raises(StripeReadError, match="too many requests"):
        api.get("/v1/customers")
    assert not stripe_side.refusals


def test_requests_keep_their_distance(stripe_side: StripeSide, slept: list[float]) -> None:
    api = api_of(stripe_side.url, slept, per_second=0.1)
    for _ in range(2):
        api.get("/v1/customers")
    assert [round(pause) for pause in slept] == [0, 10, 10]


def test_each_trouble_has_its_name(stripe_side: StripeSide, api: StripeApi) -> None:
    with pytest.raises(NotFoundError):
        api.get("/v1/customers/cus_none")
    with pytest.raises(CursorError):
        api.get("/v1/customers", starting_after="cus_none")
    with pytest.raises(StripeReadError, match="Stripe answered 400"):
        api.get("/v1/customers", limit=0)
    with pytest.raises(KeyRefusedError, match="refuses the key"):
        api_of(stripe_side.url, [], key="sk_test_").get("/v1/customers")
    with pytest.raises(NoKeyError, match="has none of test mode"):
        api_of(stripe_side.url, [], key="sk_live_key")
    with pytest.raises(StripeReadError, match="cannot be reached"):
        api_of("http://127.0.0.1:1", []).get("/v1/customers")


def test_a_customer_is_read_with_every_source_it_has(
    stripe_side: StripeSide, api: StripeApi
) -> None:
    customer = stripe_side.create(source="tok_visa")
    for _ in range(12):
        stripe_side.call("POST", f"/v1/customers/{customer}/sources", source="tok_visa")
    listed = stripe_side.call("GET", f"/v1/customers/{customer}/sources", limit=100)["data"]
    read = read_customer(api, customer, attached=[listed[0]["id"], "card_gone"])
    assert read.source_ids == [source["id"] for source in listed]
    assert read.gone == ("card_gone",)


def test_a_source_that_is_there_and_not_listed_is_not_called_gone(
    stripe_side: StripeSide, api: StripeApi
) -> None:
    customer = stripe_side.create(source="tok_visa")
    [listed] = stripe_side.call("GET", f"/v1/customers/{customer}/sources")["data"]
    stripe_side.answers["/v1/customers/" + customer] = {
        "id": customer,
        "object": "customer",
        "sources": {"object": "list", "data": [], "has_more": False},
    }
    assert read_customer(api, customer, attached=[listed["id"]]).gone == ()


def test_objects_are_rendered_as_the_newest_event_was(
    stripe_side: StripeSide, store: "Store"
) -> None:
    settings = Settings(redis_url=store.url, stripe_keys=(KEY,), stripe_url=stripe_side.url)
    with store.client() as client:
        assert open_api(settings, client, TEST).api_version == "2020-08-27"
        body = notation.created(None, 1).replace(b"2020-08-27", b"2019-12-03")
        admission.append(client, [body])
        assert open_api(settings, client, TEST).api_version == "2019-12-03"


def test_a_read_is_an_entry_of_its_own_account_and_the_same_one_each_time(
    stripe_side: StripeSide, store: "Store"
) -> None:
    settings = Settings(redis_url=store.url, stripe_keys=(KEY,), stripe_url=stripe_side.url)
    api = StripeApi(settings, Namespace(account="acct_1", mode="test"))
    read = Read("cus_1", 5, fields_of(b'{"id":"cus_1","object":"customer"}') or {})
    with store.client() as client:
        assert [admission.append(client, [read.body(api)]) for _ in range(2)] == [[True], [False]]
        items: Any = client.xrange(LOG)
    [entry] = [read_entry(item) for item in items]
    assert entry.id.startswith("read_")
    assert (entry.customer, entry.account, entry.mode) == ("cus_1", "acct_1", "test")


def test_a_deleted_customer_is_read_as_deleted(stripe_side: StripeSide, api: StripeApi) -> None:
    customer = stripe_side.create(source="tok_visa")
    stripe_side.call("DELETE", f"/v1/customers/{customer}")
    assert read_customer(api, customer).deleted


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"data": None},
        {"data": [], "has_more": True},
        {"data": [None]},
        {"data": [{}]},
        {"data": ["cus_1"]},
        {"data": [{"id": 1}]},
        {"id": "cus_2", "object": "customer"},
        {"id": "cus_1", "object": "event"},
    ],
)
def test_what_is_no_answer_of_stripes_is_refused_and_nothing_is_made_of_it(
    stripe_side: StripeSide,
    api: StripeApi,
    store: "Store",
    monkeypatch: pytest.MonkeyPatch,
    answer: Any,
) -> None:
    for path in ("/v1/customers", "/v1/customers/cus_1", "/v1/events"):
        monkeypatch.setitem(stripe_side.answers, path, answer)
    with bench_on(store.url) as bench:
        for ask in (
            lambda: read_customer(api, "cus_1"),
            lambda: [*backfill.backfill(bench.log, bench.projection, api)],
            lambda: [*catch_up.catch_up(bench.log, api)],
            lambda: [*reconcile.reconcile(bench.desk, api, None, repair=True)],
        ):
            with pytest.raises(ForeignAnswerError, match="nothing that Stripe says"):
                ask()
        assert bench.event_ids() == []


def test_what_is_listed_as_a_customer_and_is_none_is_refused(
    stripe_side: StripeSide, api: StripeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = {"data": [{"id": "evt_1", "object": "event"}], "has_more": False}
    monkeypatch.setitem(stripe_side.answers, "/v1/customers", listing)
    with pytest.raises(ForeignAnswerError):
        read_page(api)
