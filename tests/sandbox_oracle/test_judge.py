"""The judge itself: what no excuse covers is a difference, whatever an answer says of itself."""

from collections.abc import Mapping

import pytest

from service.sandbox.oracle import Seen
from tests.sandbox_oracle.bench import Bench
from tests.sandbox_oracle.excuses import SAME_SECOND, SILENT_UPDATE
from tests.sandbox_oracle.history import UntoldError
from tests.sandbox_oracle.judge import Judge

CARDS = ("tok_visa", "tok_mastercard", "tok_amex")


@pytest.fixture
def customer(bench: Bench) -> str:
    return str(bench.done("POST", "/v1/customers", {"name": "a"})["id"])


def answers(bench: Bench, *, doubtful: bool) -> Mapping[str, Seen]:
    """Return what Onfile answers, every answer calling itself ambiguous, or none."""
    found = bench.onfile.ask(Judge(bench.history, bench.books).questions())
    said = {"onfile-ambiguous": "default, order, object"} if doubtful else {}
    return {question: seen._replace(headers=said) for question, seen in found.items()}


def excused(bench: Bench, seen: Mapping[str, Seen]) -> set[str]:
    judge = Judge(bench.history, bench.books)
    judge.judge(seen)
    return set(judge.excused)


def test_an_order_that_the_clock_tells_is_not_excused(bench: Bench, customer: str) -> None:
    for card in CARDS:
        bench.clock.advance(1)
        bench.done("POST", f"/v1/customers/{customer}/sources", {"source": card})
    bench.settle()
    first, second, third = bench.books.wallets[customer]
    bench.books.wallets[customer] = (first, third, second)
    with pytest.raises(AssertionError, match=f"GET /v1/customers/{customer}"):
        excused(bench, answers(bench, doubtful=True))


def test_the_order_of_one_second_is_excused_if_the_answer_says_so(
    bench: Bench, customer: str
) -> None:
    for card in CARDS:
        bench.done("POST", f"/v1/customers/{customer}/sources", {"source": card})
    bench.settle()
    listed = bench.onfile.ask([f"/v1/customers/{customer}/sources"]).popitem()[1].body
    first, second, third = bench.books.wallets[customer]
    second_last = listed.index(second.encode()) < listed.index(third.encode())
    bench.books.wallets[customer] = (first, *((second, third) if second_last else (third, second)))
    assert excused(bench, answers(bench, doubtful=True)) == {SAME_SECOND.name}
    with pytest.raises(AssertionError, match=f"GET /v1/customers/{customer}"):
        excused(bench, answers(bench, doubtful=False))


def test_the_first_source_of_a_customer_is_known_to_be_the_first(
    bench: Bench, customer: str
) -> None:
    for card in CARDS[:2]:
        bench.done("POST", f"/v1/customers/{customer}/sources", {"source": card})
    bench.settle()
    bench.books.wallets[customer] = bench.books.wallets[customer][::-1]
    with pytest.raises(AssertionError, match=f"GET /v1/customers/{customer}"):
        excused(bench, answers(bench, doubtful=True))


def test_a_value_that_no_event_told_is_not_excused(bench: Bench, customer: str) -> None:
    bench.settle()
    bench.books.customers[customer] = bench.books.customers[customer] | {"name": "b"}
    with pytest.raises(AssertionError, match='name Stripe: "b" Onfile: "a"'):
        excused(bench, answers(bench, doubtful=True))


def test_a_silent_update_excuses_what_was_told_and_nothing_else(bench: Bench) -> None:
    made = bench.done("POST", "/v1/sources", {"type": "card", "token": "tok_visa"})["id"]
    bench.call("POST", f"/v1/sources/{made}", {"metadata": {"k": "a"}}, silent=SILENT_UPDATE)
    bench.settle()
    found = answers(bench, doubtful=True)
    assert excused(bench, found) == {SILENT_UPDATE}
    wrong = {
        question: seen._replace(body=seen.body.replace(b'"chargeable"', b'"pending"'))
        for question, seen in found.items()
    }
    with pytest.raises(AssertionError, match='status Stripe: "chargeable" Onfile: "pending"'):
        excused(bench, wrong)


def test_a_source_of_which_an_event_told_must_be_there(bench: Bench) -> None:
    made = bench.done("POST", "/v1/sources", {"type": "card", "token": "tok_visa"})["id"]
    bench.withhold()
    with pytest.raises(AssertionError, match=f"GET /v1/sources/{made}"):
        bench.settle()


def test_an_operation_that_changes_what_it_does_not_tell_is_found(
    bench: Bench, customer: str
) -> None:
    books = bench.books
    books.customers[customer] = books.customers[customer] | {"phone": "1"}
    with pytest.raises(UntoldError, match="phone"):
        bench.call("POST", f"/v1/customers/{customer}")
