"""Three histories that break those who think that order is time, each compared on both sides."""

from collections import Counter

import pytest

from tests.sandbox_oracle.bench import ALL, Bench
from tests.sandbox_oracle.excuses import SAME_SECOND
from tests.sandbox_oracle.onfile import Onfile

WEATHERS = range(8)
"""The first is fair, in all others events come in any order and more than once."""


@pytest.fixture(params=WEATHERS)
def weather(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def add(bench: Bench, customer: str, source: str) -> str:
    return str(bench.done("POST", f"/v1/customers/{customer}/sources", {"source": source})["id"])


def test_two_cards_in_one_second_the_default_deleted_then_another_added(
    bench: Bench, weather: int
) -> None:
    customer = bench.done("POST", "/v1/customers")["id"]
    bench.clock.advance(1)
    first, second = add(bench, customer, "tok_visa"), add(bench, customer, "tok_mastercard")
    bench.settle(weather)
    bench.clock.advance(1)
    bench.done("DELETE", f"/v1/customers/{customer}/sources/{first}")
    bench.settle(weather)
    bench.clock.advance(1)
    third = add(bench, customer, "tok_amex")
    bench.settle(weather)
    known = bench.done("GET", f"/v1/customers/{customer}")
    assert known["default_source"] == second
    assert bench.books.wallets[customer] == (second, third)
    assert not bench.excuses(), "the first source of its second is known to be the first"


def test_the_same_all_in_one_second_and_delivered_at_its_end(bench: Bench, weather: int) -> None:
    customer = bench.done("POST", "/v1/customers")["id"]
    first, second = add(bench, customer, "tok_visa"), add(bench, customer, "tok_mastercard")
    bench.done("DELETE", f"/v1/customers/{customer}/sources/{first}")
    third = add(bench, customer, "tok_amex")
    bench.settle(weather)
    assert bench.books.wallets[customer] == (second, third)
    assert set(bench.excuses()) <= {SAME_SECOND.name}


def test_of_two_cards_in_one_second_that_are_not_the_first_the_order_is_excused(
    onfile: Onfile,
) -> None:
    """Ids of one second tell nothing: one of many such pairs stands the other way round."""
    tally: Counter[str] = Counter()
    for number in range(8):
        bench = Bench(onfile, tally)
        customer = bench.done("POST", "/v1/customers", {"source": "tok_visa"})["id"]
        for _ in range(number):
            add(bench, customer, "tok_visa")
        bench.clock.advance(1)
        add(bench, customer, "tok_visa")
        add(bench, customer, "tok_amex")
        bench.settle()
    assert set(bench.excuses()) == {SAME_SECOND.name}


def test_a_source_detached_before_its_creation_is_delivered(bench: Bench, weather: int) -> None:
    customer = bench.done("POST", "/v1/customers")["id"]
    bench.settle(weather)
    made = bench.done("POST", "/v1/sources", {"type": "card", "token": "tok_visa"})["id"]
    bench.clock.advance(weather % 2)
    add(bench, customer, made)
    bench.clock.advance(weather % 3)
    came = bench.withhold()
    bench.done("DELETE", f"/v1/customers/{customer}/sources/{made}")
    went = bench.withhold()
    bench.release(went)
    bench.deliver(weather)
    bench.onfile.apply(ALL)
    answers = bench.onfile.ask([f"/v1/customers/{customer}/sources"])
    assert [b'"data":[]' in seen.body for seen in answers.values()] == [True]
    bench.release(came)
    bench.settle(weather)
    assert not bench.excuses()


def test_a_customer_with_twenty_sources_is_deleted_while_events_are_late(
    bench: Bench, weather: int
) -> None:
    customer = bench.done("POST", "/v1/customers")["id"]
    sources = []
    for number in range(20):
        bench.clock.advance(number % 2)
        made = bench.done("POST", "/v1/sources", {"type": "card", "token": "tok_visa"})["id"]
        sources.append(add(bench, customer, made if number % 3 else "tok_visa"))
    bench.deliver(weather or 1, share=0.5)
    late = bench.withhold()
    bench.done("DELETE", f"/v1/customers/{customer}")
    bench.deliver(weather)
    bench.onfile.apply(ALL)
    assert customer_alone(bench, customer)
    for source in sources[::4]:
        path = f"/v1/test_helpers/sources/{source}/network_update"
        bench.done("POST", path, {"exp_year": 2035, "event": "payment_method.updated"})
    bench.release(late)
    for again in range(4):
        bench.deliver(weather + again, share=0.3)
        bench.onfile.apply(ALL)
        assert customer_alone(bench, customer)
    bench.settle(weather)
    assert not bench.excuses()


def customer_alone(bench: Bench, customer: str) -> bool:
    """Tell whether a customer is deleted, and nothing of it is there any more."""
    path = f"/v1/customers/{customer}"
    asked = [path, f"{path}/sources", *(f"{path}/sources/{s}" for s in bench.history.sources)]
    stub, *rest = bench.onfile.ask(asked).values()
    return b'"deleted":true' in stub.body and {seen.status for seen in rest} == {404}
