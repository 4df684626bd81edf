"""What the oracle asks of both sides, and how it judges two answers."""

import json

import pytest

from service.sandbox.oracle import Seen, compare, questions
from service.sandbox.stripe import Stripe


@pytest.fixture
def stripe() -> Stripe:
    return Stripe(seed=1)


@pytest.fixture
def customer(stripe: Stripe) -> str:
    return str(stripe.call("POST", "/v1/customers", {"source": "tok_visa"}).body["id"])


def seen(stripe: Stripe, path: str, headers: dict[str, str] | None = None, **other: str) -> Seen:
    """Return Stripe's own answer, with some of its values changed."""
    answer = stripe.call("GET", path)
    body = json.dumps(answer.body | other).encode()
    return Seen(answer.status, headers or {"onfile-default-basis": "confirmed"}, body)


def test_the_same_answer_from_both_is_no_mismatch(stripe: Stripe, customer: str) -> None:
    path = f"/v1/customers/{customer}"
    compared = compare(stripe, lambda _: seen(stripe, path), path)
    assert (compared.same, compared.mismatch) == (True, False)


def test_a_wrong_answer_is_a_mismatch(stripe: Stripe, customer: str) -> None:
    path = f"/v1/customers/{customer}"
    compared = compare(stripe, lambda _: seen(stripe, path, default_source="card_other"), path)
    assert compared.mismatch


@pytest.mark.parametrize(
    "headers", [{"onfile-default-basis": "ambiguous"}, {"onfile-ambiguous": "order"}]
)
def test_a_wrong_answer_that_calls_itself_ambiguous_is_none(
    stripe: Stripe, customer: str, headers: dict[str, str]
) -> None:
    path = f"/v1/customers/{customer}"
    wrong = seen(stripe, path, headers, default_source="card_other")
    compared = compare(stripe, lambda _: wrong, path)
    assert (compared.same, compared.ambiguous, compared.mismatch) == (False, True, False)


def test_a_missing_answer_is_a_mismatch(stripe: Stripe, customer: str) -> None:
    path = f"/v1/customers/{customer}"
    missing = Seen(404, {}, b'{"error": {"code": "resource_missing"}}')
    assert compare(stripe, lambda _: missing, path).mismatch


def test_of_a_refusal_only_its_kind_is_compared(stripe: Stripe) -> None:
    path = "/v1/customers/cus_nobody"
    missing = Seen(404, {}, b'{"error": {"code": "resource_missing", "message": "No."}}')
    assert not compare(stripe, lambda _: missing, path).mismatch


def test_every_customer_and_every_source_is_asked_about() -> None:
    asked = questions(["cus_1", "cus_2"], {"card_1": "cus_1", "src_1": "cus_2"})
    assert {
        "/v1/customers/cus_1",
        "/v1/customers/cus_2/sources?limit=100",
        "/v1/customers/cus_1/sources/card_1",
        "/v1/customers/cus_2/sources/src_1",
        "/v1/sources/src_1",
    } <= set(asked)
    assert "/v1/sources/card_1" not in asked
    assert len(asked) == len(set(asked))
