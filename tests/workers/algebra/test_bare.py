"""Dropping is compatible with merging, so it does not matter when it was set."""

from collections.abc import Callable
from functools import reduce
from random import Random
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from service.documents import SourceAnswer
from service.drop import Drop
from tests.workers.fold import Fold, facts_told
from tests.workers.histories import WORLDS, chances, lived, searched
from workers.algebra.bare import bare_customer, bare_source
from workers.algebra.facts import CustomerFacts, Link, Record, SourceFacts, Times
from workers.algebra.merge import merge_customers, merge_sources

D = TypeVar("D", SourceFacts, CustomerFacts)

NAMES = Drop(["name"])

bodies = st.sampled_from(
    [b'{"name":"a"}', b'{"name":"b"}', b'{"name":null}', b'{"name":"a","x":1}', b'{"x":1}']
)
records = st.builds(
    Record,
    type=st.just("customer.updated"),
    phase=st.just(2),
    status=st.just(0),
    request=st.sampled_from(["", "req_1"]),
    event=st.sampled_from(["evt_1", "evt_2", "evt_3"]),
    api_version=st.sampled_from(["2019-12-03", "2020-08-27"]),
    object=bodies,
    previous=bodies | st.just(b""),
)
groups = st.builds(lambda second, one: {second: {one.key: one}}, st.integers(1, 4), records)


def _link(version: int) -> Link:
    body = b'{"name":"%d"}' % version
    answer = SourceAnswer(body, "card", "cus_1", gone=False, second=1, event="", decided=True)
    return Link(Times(), version, answer)


source_facts = st.builds(SourceFacts, snapshots=groups) | st.builds(SourceFacts, views=groups)
customer_facts = st.builds(CustomerFacts, snapshots=groups) | st.builds(
    lambda version: CustomerFacts(links={"card_1": _link(version)}), st.integers(1, 3)
)


@given(st.lists(source_facts, max_size=8), st.lists(source_facts, max_size=8))
@searched
def test_of_sources_dropping_first_or_merging_first_is_the_same(
    left: list[SourceFacts], right: list[SourceFacts]
) -> None:
    _commutes(merge_sources, bare_source, reduce(merge_sources, left, SourceFacts()), right)


@given(st.lists(customer_facts, max_size=8), st.lists(customer_facts, max_size=8))
@searched
def test_of_customers_dropping_first_or_merging_first_is_the_same(
    left: list[CustomerFacts], right: list[CustomerFacts]
) -> None:
    _commutes(merge_customers, bare_customer, reduce(merge_customers, left, CustomerFacts()), right)


@given(chance=chances)
@searched
def test_a_history_told_in_part_before_and_in_part_after_gives_one_answer(chance: Random) -> None:
    events = lived(chance, chance.choice(WORLDS)).stripe.bodies()
    after = Fold(facts_told(NAMES(event)) for event in events)
    mixed = Fold(facts_told(chance.choice([event, NAMES(event)])) for event in events)
    for source, stored in mixed.sources.items():
        assert bare_source(stored.facts, NAMES) == after.sources[source].facts
    for customer, facts in mixed.customers.items():
        bare, told = bare_customer(facts, NAMES), after.customers[customer]
        assert bare.snapshots == told.snapshots


def _commutes(
    merged: Callable[[D, D], D], bare: Callable[[D, Drop], D], known: D, news: list[D]
) -> None:
    whole = reduce(merged, news, known)
    in_parts = reduce(merged, (bare(one, NAMES) for one in news), bare(known, NAMES))
    assert bare(whole, NAMES) == in_parts
    assert bare(in_parts, NAMES) == in_parts
