"""Requests as such: keys, forms, idempotency, pages that are not there."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import stripe as official

from service.sandbox.clock import ManualClock
from service.sandbox.errors import StripeError
from service.sandbox.forms import decode, plain
from service.sandbox.stripe import Answer, Stripe

if TYPE_CHECKING:
    from tests.service.sandbox.conftest import Sandbox

Call = Callable[..., Answer]

KEY = "Bearer sk_test_1"


def test_answers_are_indented_and_carry_a_request_id(sandbox: "Sandbox") -> None:
    status, headers, body = sandbox.fetch("/v1/customers", Authorization=KEY)
    assert status == 200
    assert body.startswith(b'{\n  "object": "list",\n  "data": []')
    assert headers["Content-Type"] == "application/json"
    assert headers["Request-Id"].startswith("req_")
    assert headers["Stripe-Version"] == "2020-08-27"


def test_a_mistake_of_ours_is_answered_in_stripes_shape(sandbox: "Sandbox") -> None:
    broken: Any = None
    sandbox.stripe.clock = broken
    status, _, body = sandbox.fetch("/v1/customers", Authorization=KEY)
    assert status == 500
    assert json.loads(body)["error"]["type"] == "api_error"


@pytest.mark.parametrize("authorization", ["Basic c2tfdGVzdF8xOg==", "bearer rk_test_1"])
def test_any_test_key_opens_it(sandbox: "Sandbox", authorization: str) -> None:
    status, _, _ = sandbox.fetch("/v1/customers", Authorization=authorization)
    assert status == 200


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("", "You did not provide an API key"),
        ("Basic !", "You did not provide an API key"),
        ("Digest x", "You did not provide an API key"),
        ("Bearer sk_live_12345678", "a live one must never be sent here"),
        ("Bearer nonsense", "Invalid API Key provided: nonsense"),
    ],
)
def test_without_a_test_key_there_is_no_answer(
    sandbox: "Sandbox", authorization: str, message: str
) -> None:
    for path in ("customers", "test_helpers/deliveries"):
        status, _, body = sandbox.fetch(f"/v1/{path}", Authorization=authorization)
        assert status == 401
        assert message in json.loads(body)["error"]["message"]
        assert b"12345678" not in body


def test_an_account_that_is_no_account_is_refused(sandbox: "Sandbox") -> None:
    with pytest.raises(official.PermissionError) as refused:
        sandbox.client.v1.customers.list(None, {"stripe_account": "nobody"})
    assert refused.value.error is not None
    assert refused.value.error.code == "account_invalid"


def test_what_no_url_names_is_refused_in_stripes_words(sandbox: "Sandbox") -> None:
    for method, path in (
        ("get", "/v1/nothing"),
        ("delete", "/v1/customers"),
        ("get", "/v1/sources"),
    ):
        with pytest.raises(
            official.InvalidRequestError, match="Unrecognized request URL"
        ) as refused:
            sandbox.raw(method, path)
        assert refused.value.http_status == 404


def test_a_body_that_is_no_form_is_refused(sandbox: "Sandbox") -> None:
    for body, more, message in (
        (b"{}", {"Content_Type": "application/json"}, "Content-Type"),
        (b"name=\xff", {}, "percent-encoded"),
        (b"name=%ff", {}, "UTF-8"),
    ):
        status, _, answer = sandbox.fetch("/v1/customers", body, Authorization=KEY, **more)
        assert status == 400
        assert message in json.loads(answer)["error"]["message"]
    large = b"name=" + b"x" * 1024 * 1024
    assert sandbox.fetch("/v1/customers", large, Authorization=KEY)[0] == 413
    assert json.loads(sandbox.fetch("/healthz")[2]) == {"status": "alive"}


def test_the_same_key_gives_the_same_answer_and_tells_nothing_again(sandbox: "Sandbox") -> None:
    service = sandbox.client.v1.customers
    first = service.create({"name": "A"}, {"idempotency_key": "k1"})
    again = service.create({"name": "A"}, {"idempotency_key": "k1"})
    assert again.to_dict() == first.to_dict()
    assert sandbox.events() == ["customer.created"]
    assert first.last_response is not None
    assert again.last_response is not None
    headers = again.last_response.headers
    assert headers["Idempotent-Replayed"] == "true"
    assert headers["Original-Request"] == first.last_response.request_id
    assert headers["Idempotency-Key"] == "k1"


def test_the_same_key_with_another_request_is_refused(sandbox: "Sandbox") -> None:
    service, options = sandbox.client.v1.customers, {"idempotency_key": "k1"}
    given: Any = options
    made = service.create({"name": "A"}, given)
    with pytest.raises(
        official.IdempotencyError, match="same parameters they were first used with"
    ):
        service.create({"name": "B"}, given)
    with pytest.raises(official.IdempotencyError, match="same endpoint they were first used for"):
        service.update(made.id, {"name": "A"}, given)
    with pytest.raises(official.IdempotencyError, match="up to 255 characters"):
        service.create({}, {"idempotency_key": "k" * 256})
    assert sandbox.events() == ["customer.created"]


def test_a_key_remembers_refusals_but_not_those_of_parameters(account: Stripe, call: Call) -> None:
    customer = call("POST", "/v1/customers").body["id"]
    path = f"/v1/customers/{customer}/sources"
    for _ in range(2):
        declined = account.call(
            "POST", path, {"source": "tok_chargeDeclined"}, idempotency_key="k1"
        )
        assert declined.status == 402
    assert declined.replayed
    assert account.call("POST", path, {"nonsense": "1"}, idempotency_key="k2").status == 400
    call("POST", path, {"source": "tok_visa"}, idempotency_key="k2")


def test_a_key_is_forgotten_after_a_day_and_counts_in_its_account_alone(
    call: Call, clock: ManualClock, account: Stripe
) -> None:
    first = call("POST", "/v1/customers", {"name": "A"}, idempotency_key="k")
    other = call("POST", "/v1/customers", {"name": "B"}, idempotency_key="k", account="acct_1")
    assert first.body["id"] != other.body["id"]
    clock.advance(24 * 3600 + 1)
    late = call("POST", "/v1/customers", {"name": "C"}, idempotency_key="k")
    assert late.body["name"] == "C"
    assert account.call("POST", "/v1/customers", {"name": "C"}, idempotency_key="k").replayed


def test_a_key_does_not_count_where_it_is_not_needed(call: Call, account: Stripe) -> None:
    customer = call("POST", "/v1/customers", idempotency_key="k").body["id"]
    deleted = call("DELETE", f"/v1/customers/{customer}", idempotency_key="k")
    assert deleted.events[0]["request"]["idempotency_key"] is None
    assert account.call("DELETE", f"/v1/customers/{customer}", idempotency_key="k").status == 404


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a=1&a=2", {"a": "2"}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[][b]=1&a[][c]=2&a[][b]=3", {"a": [{"b": "1", "c": "2"}, {"b": "3"}]}),
        ("a[0]=1&a[1]=2", {"a": {"0": "1", "1": "2"}}),
        ("metadata%5B%C3%A9%5D=%F0%9F%8D%8B+x", {"metadata": {"é": "🍋 x"}}),
    ],
)
def test_a_form_is_read_as_stripe_reads_it(text: str, form: Any) -> None:
    assert decode(text) == form


@pytest.mark.parametrize(
    "text",
    [
        "a=1&a[b]=2",
        "a=1&a[]=2",
        "a[b]=1&a[]=2",
        "a[b=1",
        "=1",
        "a" + "[b]" * 9 + "=1",
        "a=%ff",
        "&".join(["a=1"] * 2001),
    ],
)
def test_a_form_that_contradicts_itself_is_refused(text: str) -> None:
    with pytest.raises(StripeError):
        decode(text)


def test_what_a_caller_here_passes_becomes_text() -> None:
    given: dict[str, Any] = {"a": None, "b": True, "c": 1, "d": [1, {"e": False}], "f": {"g": "h"}}
    assert plain(given) == {
        "a": "",
        "b": "true",
        "c": "1",
        "d": ["1", {"e": "false"}],
        "f": {"g": "h"},
    }


def test_an_array_of_arrays_is_refused(account: Stripe) -> None:
    answer = account.call("POST", "/v1/customers", {"preferred_locales": [["de"]]})
    assert answer.body["error"]["message"] == "Invalid object"


def test_expansion_has_its_bounds(account: Stripe, call: Call) -> None:
    customer = call("POST", "/v1/customers", {"source": "tok_visa"}).body["id"]
    path = f"/v1/customers/{customer}"
    both = ["default_source", "default_source.customer"]
    deep = call("GET", path, {"expand": both}).body
    assert deep["default_source"]["customer"]["id"] == customer
    counted = call("GET", f"{path}/sources", {"expand": ["total_count", "data"]}).body
    assert counted["total_count"] == 1
    made = call("POST", "/v1/sources", {"type": "card", "token": "tok_visa"}).body["id"]
    for asked, expand in (
        (path, ["a.b.c.d.e"]),
        (path, ["default_source.brand"]),
        (f"{path}/sources", ["customer"]),
        (f"/v1/sources/{made}", ["customer"]),
        (path, {"x": "y"}),
    ):
        assert account.call("GET", asked, {"expand": expand}).status == 400
    empty = call("POST", "/v1/customers", {"expand": ["default_source.customer"]}).body
    assert empty["default_source"] is None
