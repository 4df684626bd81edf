"""Who may ask: keys as Stripe's clients send them, their modes, their accounts."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.keys import Namespace
from service.web.api_keys import AccountError, ApiKeyError, ApiKeys, masked

if TYPE_CHECKING:
    from tests.service.web.conftest import Web

KEYS = ApiKeys(["sk_test_aaaaaaaaaaaaaaaa", "sk_live_bbbbbbbbbbbbbbbb", "rk_test_cccccccccccccccc"])


def headers(authorization: bytes, account: bytes | None = None) -> dict[bytes, bytes]:
    found = {b"authorization": authorization}
    return found if account is None else found | {b"stripe-account": account}


@pytest.mark.parametrize("key", ["sk_test_aaaaaaaaaaaaaaaa", "rk_test_cccccccccccccccc"])
def test_every_configured_test_key_reads_test_mode(key: str) -> None:
    assert KEYS.namespace(headers(b"Bearer " + key.encode())) == Namespace("", "test")


def test_a_live_key_reads_live_mode() -> None:
    assert KEYS.namespace(headers(b"Bearer sk_live_bbbbbbbbbbbbbbbb")) == Namespace("", "live")


def test_a_key_is_taken_as_basic_user_name_too(basic: Callable[[str], str]) -> None:
    header = basic("sk_live_bbbbbbbbbbbbbbbb:").encode()
    assert KEYS.namespace(headers(header)).mode == "live"
    without_colon = basic("sk_live_bbbbbbbbbbbbbbbb").encode()
    assert KEYS.namespace(headers(without_colon)).mode == "live"


def test_the_scheme_may_be_written_in_any_case() -> None:
    assert KEYS.namespace(headers(b"bEARER sk_test_aaaaaaaaaaaaaaaa")).mode == "test"


def test_the_account_header_selects_the_account() -> None:
    found = KEYS.namespace(headers(b"Bearer sk_live_bbbbbbbbbbbbbbbb", b"acct_1"))
    assert found == Namespace("acct_1", "live")


@pytest.mark.parametrize("account", [b"", b"acct 1", b"acct:1", b"a}b", b"\xff", b"a" * 256])
def test_an_account_that_is_no_id_is_refused(account: bytes) -> None:
    with pytest.raises(AccountError) as refused:
        KEYS.namespace(headers(b"Bearer sk_test_aaaaaaaaaaaaaaaa", account))
    assert refused.value.param == "Stripe-Account"


@pytest.mark.parametrize(
    "authorization",
    [b"", b"Bearer", b"Bearer  ", b"Basic", b"Basic !!!", b"Basic Og==", b"Digest x", b"\xff\xfe"],
)
def test_a_header_without_a_key_asks_for_one(authorization: bytes) -> None:
    with pytest.raises(ApiKeyError, match="You did not provide an API key"):
        KEYS.namespace(headers(authorization))


def test_no_header_at_all_asks_for_a_key() -> None:
    with pytest.raises(ApiKeyError, match="You did not provide an API key"):
        KEYS.namespace({})


@pytest.mark.parametrize(
    "key",
    [
        b"sk_test_aaaaaaaaaaaaaaa",
        b"sk_test_aaaaaaaaaaaaaaaaa",
        b"sk_test_aaaaaaaaaaaaaaab",
        b"SK_TEST_aaaaaaaaaaaaaaaa",
        b"sk_test_aaaaaaaaaaaaaaaa,sk_live_bbbbbbbbbbbbbbbb",
    ],
)
def test_a_key_that_is_not_quite_right_is_wrong(key: bytes) -> None:
    with pytest.raises(ApiKeyError, match="Invalid API Key provided"):
        KEYS.namespace(headers(b"Bearer " + key))


@given(st.binary(max_size=60))
def test_no_header_whatever_it_holds_does_anything_but_name_a_mode_or_raise(value: bytes) -> None:
    with pytest.raises(ApiKeyError):
        KEYS.namespace(headers(value))


@given(st.text(max_size=80))
def test_a_masked_key_never_shows_more_than_its_kind_and_four_characters(key: str) -> None:
    hidden = masked(key)
    prefix, _, shown = hidden.partition("*" * 12)
    assert key.startswith(prefix)
    assert len(shown) <= 4
    assert len(prefix) <= len("abcd_live_")
    assert len(key) - len(prefix) - len(shown) >= (12 if shown else 0)


def test_a_masked_key_looks_as_stripe_shows_it() -> None:
    assert masked("sk_test_4eC39HqLyjWDarjtT1zd1234") == "sk_test_************1234"
    assert masked("sk_test_short") == "sk_test_************"


def test_over_http_a_missing_key_is_401_in_stripes_words(web: "Web") -> None:
    refused = web.ask("/v1/customers/cus_1", key="")
    assert refused.status == 401
    assert refused.error["type"] == "invalid_request_error"
    assert refused.error["message"].startswith("You did not provide an API key. You need to ")
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="Onfile"'


def test_over_http_a_wrong_key_is_401_and_not_repeated_whole(web: "Web") -> None:
    refused = web.ask("/v1/customers/cus_1", key="sk_test_wrongwrongwrongwrong1234")
    assert refused.status == 401
    assert refused.error["message"] == "Invalid API Key provided: sk_test_************1234"


def test_modes_and_accounts_never_see_each_other(web: "Web") -> None:
    places = {
        ("acct_1", "test"): web.test_key,
        ("", "test"): web.other_test_key,
        ("acct_1", "live"): web.live_key,
        ("", "live"): web.live_key,
    }
    for account, mode in places:
        customer_id = f"cus_{account}{mode}"
        web.plant_customer(customer_id, namespace=Namespace(account, mode))
        seen = {
            place: web.ask(f"/v1/customers/{customer_id}", key, account=place[0]).status
            for place, key in places.items()
        }
        assert seen == {place: 200 if place == (account, mode) else 404 for place in places}
