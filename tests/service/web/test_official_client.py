"""Stripe's own Python client, pointed here: what it reads and what it raises."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import stripe

from service.documents import ListedSource
from service.keys import Namespace

if TYPE_CHECKING:
    from tests.service.web.conftest import Web

KINDS = ("card", "bank_account", "source")
MANY = [f"src_{place:03}" for place in range(120)]


@pytest.fixture
def planted(web: "Web", a_source: Callable[..., ListedSource]) -> "Web":
    sources = [a_source(name, KINDS[place % 3]) for place, name in enumerate(MANY)]
    web.plant_customer("cus_many", *sources, default=MANY[7])
    web.plant_customer(
        "cus_gone", body=b'{"id":"cus_gone","object":"customer","deleted":true}', deleted=True
    )
    web.plant_customer("cus_live", namespace=Namespace("", "live"))
    web.plant_customer("cus_theirs", namespace=Namespace("acct_1", "test"))
    web.plant_source("src_free")
    return web


@pytest.fixture(autouse=True)
def pointed_here(planted: "Web", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe, "api_base", planted.url)
    monkeypatch.setattr(stripe, "api_key", planted.test_key)
    monkeypatch.setattr(stripe, "max_network_retries", 0)


def test_a_customer_is_retrieved() -> None:
    customer = stripe.Customer.retrieve("cus_many")
    assert customer.id == "cus_many"
    assert customer.default_source == MANY[7]
    assert customer.last_response is not None
    assert str(customer.last_response.request_id).startswith("req_")


def test_a_customer_is_retrieved_expanded() -> None:
    customer = stripe.Customer.retrieve("cus_many", expand=["default_source", "sources"])
    assert isinstance(customer.default_source, stripe.BankAccount)
    assert customer.default_source.id == MANY[7]
    assert customer.sources is not None
    assert [source.id for source in customer.sources.data] == MANY[:10]
    assert [source.id for source in customer.sources.auto_paging_iter()] == MANY


def test_a_deleted_customer_is_retrieved_as_deleted() -> None:
    assert stripe.Customer.retrieve("cus_gone").deleted is True


def test_a_missing_customer_raises_what_stripe_would_cause() -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        stripe.Customer.retrieve("cus_x")
    assert raised.value.http_status == 404
    assert raised.value.code == "resource_missing"
    assert raised.value.param == "id"
    assert raised.value.user_message == "No such customer: 'cus_x'"
    assert str(raised.value.request_id).startswith("req_")


@pytest.mark.parametrize("limit", [1, 7, 10, 100])
def test_all_sources_are_listed_page_by_page(limit: int) -> None:
    pages = stripe.Customer.list_sources("cus_many", limit=limit)
    assert [source.id for source in pages.auto_paging_iter()] == MANY


def test_all_sources_are_listed_backwards() -> None:
    pages = stripe.Customer.list_sources("cus_many", limit=7, ending_before=MANY[-1])
    assert [source.id for source in pages.auto_paging_iter()] == MANY[-2::-1]


@pytest.mark.parametrize("kind", KINDS)
def test_the_sources_of_one_kind_are_listed(kind: str) -> None:
    pages = stripe.Customer.list_sources("cus_many", object=kind, limit=9)
    found = list(pages.auto_paging_iter())
    assert [source.id for source in found] == MANY[KINDS.index(kind) :: 3]
    assert {source.object for source in found} == {kind}


def test_a_source_of_a_customer_is_retrieved() -> None:
    card = stripe.Customer.retrieve_source("cus_many", MANY[0])
    assert isinstance(card, stripe.Card)
    assert card.last4 == "4242"


def test_a_source_is_retrieved_with_its_secret_and_without() -> None:
    assert stripe.Source.retrieve("src_free").id == "src_free"
    source = stripe.Source.retrieve("src_free", client_secret="src_free_secret_x")
    assert source.client_secret == "src_free_secret_x"


def test_the_newer_client_reads_the_same(planted: "Web") -> None:
    client = stripe.StripeClient(
        planted.test_key, base_addresses={"api": planted.url}, max_network_retries=0
    )
    assert client.v1.customers.retrieve("cus_many").id == "cus_many"
    sources = client.v1.customers.payment_sources.list("cus_many", params={"limit": 100})
    assert [source.id for source in sources.auto_paging_iter()] == MANY
    assert client.v1.customers.payment_sources.retrieve("cus_many", MANY[1]).id == MANY[1]
    assert client.v1.sources.retrieve("src_free").id == "src_free"


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"object": "cards"}, "object"),
        ({"starting_after": "card_x"}, "starting_after"),
        ({"ending_before": "card_x"}, "ending_before"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_parameter_raises_an_invalid_request(asked: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        stripe.Customer.list_sources("cus_many", **asked)
    assert (raised.value.http_status, raised.value.param) == (400, param)


def test_what_cannot_be_expanded_raises_an_invalid_request() -> None:
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded") as raised:
        stripe.Customer.retrieve("cus_many", expand=["subscriptions"])
    assert raised.value.http_status == 400


def test_a_missing_source_raises_an_invalid_request() -> None:
    with pytest.raises(stripe.InvalidRequestError) as not_theirs:
        stripe.Customer.retrieve_source("cus_many", "src_free")
    with pytest.raises(stripe.InvalidRequestError) as nowhere:
        stripe.Source.retrieve("src_x")
    for raised in (not_theirs, nowhere):
        assert (raised.value.http_status, raised.value.param) == (404, "id")


@pytest.mark.parametrize("key", ["sk_test_wrong_wrong_wrong_wrong", "nonsense"])
def test_a_wrong_key_raises_an_authentication_error(key: str) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided") as raised:
        stripe.Customer.retrieve("cus_many", api_key=key)
    assert raised.value.http_status == 401
    assert key not in str(raised.value)


def test_the_other_mode_does_not_exist_for_a_key(planted: "Web") -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        stripe.Customer.retrieve("cus_live")
    assert raised.value.code == "resource_missing"
    assert stripe.Customer.retrieve("cus_live", api_key=planted.live_key).id == "cus_live"


def test_another_account_does_not_exist_without_being_named() -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        stripe.Customer.retrieve("cus_theirs")
    assert raised.value.code == "resource_missing"
    assert stripe.Customer.retrieve("cus_theirs", stripe_account="acct_1").id == "cus_theirs"
    with pytest.raises(stripe.InvalidRequestError):
        stripe.Customer.retrieve("cus_many", stripe_account="acct_1")


def test_a_write_raises_and_says_that_onfile_only_reads() -> None:
    with pytest.raises(stripe.APIError, match="Onfile only reads") as raised:
        stripe.Customer.modify("cus_many", description="new")
    assert raised.value.http_status == 405
