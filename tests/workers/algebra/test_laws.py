"""Merging is commutative, associative and idempotent: the reason why order does not matter."""

from collections.abc import Callable, Sequence
from functools import reduce
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.documents import SourceAnswer
from tests.workers.histories import WORLDS, chances, lived, searched
from workers.algebra import merge
from workers.algebra.facts import NEVER, CustomerFacts, Link, Record, SourceFacts, Times
from workers.algebra.merge import merge_customers, merge_sources

D = TypeVar("D", SourceFacts, CustomerFacts)

seconds = st.integers(1, 4)
moments = st.one_of(seconds, st.just(NEVER))
times = st.builds(Times, added=moments, seen=moments, first=moments, gone=moments)
records = st.builds(
    Record,
    type=st.sampled_from(["customer.updated", "customer.created"]),
    phase=st.just(2),
    status=st.just(0),
    request=st.sampled_from(["", "req_1"]),
    event=st.sampled_from(["evt_1", "evt_2", "evt_3"]),
    api_version=st.sampled_from(["2019-12-03", "2020-08-27"]),
    object=st.sampled_from([b"{}", b'{"a":1}', b'{"a":2}']),
    previous=st.sampled_from([b"", b'{"a":3}']),
)
groups = st.builds(lambda second, record: {second: {record.key: record}}, seconds, records)
listings = st.lists(st.sampled_from(["card_1", "card_2"]), unique=True, max_size=2).map(tuple)


def _link(version: int, known: Times) -> Link:
    """Return a link; a version stands for one answer, since documents are committed in turn."""
    answer = SourceAnswer(
        body=b"{}",
        kind="card",
        owner="cus_1",
        gone=False,
        second=1,
        event=f"evt_{version}",
        decided=True,
    )
    return Link(known, version, answer)


source_facts = st.one_of(
    st.builds(SourceFacts, snapshots=groups),
    st.builds(SourceFacts, views=groups),
    st.builds(SourceFacts, owners=st.sets(st.sampled_from(["cus_1", "cus_2"])), times=times),
    st.builds(SourceFacts, forgotten=moments),
)
customer_facts = st.one_of(
    st.builds(CustomerFacts, snapshots=groups),
    st.builds(CustomerFacts, deleted=st.booleans(), told=st.booleans()),
    st.builds(lambda at, shown: CustomerFacts(lists={at: {shown}}), seconds, listings),
    st.builds(
        lambda source, version, known: CustomerFacts(links={source: _link(version, known)}),
        st.sampled_from(["card_1", "card_2"]),
        st.integers(1, 3),
        times,
    ),
    st.builds(CustomerFacts, forgotten=moments),
)


@pytest.mark.parametrize("kept", [1, 2, 64])
@given(parts=st.tuples(*[st.lists(source_facts, max_size=8)] * 3))
@searched
def test_merging_sources_has_the_laws(kept: int, parts: tuple[list[SourceFacts], ...]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "KEPT_RECORDS", kept)
        _has_the_laws(merge_sources, [reduce(merge_sources, p, SourceFacts()) for p in parts])


@pytest.mark.parametrize("kept", [1, 2, 64])
@given(parts=st.tuples(*[st.lists(customer_facts, max_size=8)] * 3))
@searched
def test_merging_customers_has_the_laws(kept: int, parts: tuple[list[CustomerFacts], ...]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "KEPT_RECORDS", kept)
        _has_the_laws(merge_customers, [reduce(merge_customers, p, CustomerFacts()) for p in parts])


@pytest.mark.parametrize("kept", [1, 2, 64])
@given(chance=chances)
@searched
def test_what_events_tell_merges_in_any_tree(kept: int, chance: Random) -> None:
    history = lived(chance, chance.choice(WORLDS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "KEPT_RECORDS", kept)
        for source in history.stripe.truth.sources:
            told = [f.sources[source] for f in history.facts if source in f.sources]
            _merges_in_any_tree(chance, merge_sources, told)
        for customer in history.stripe.truth.customers:
            news = [f.customers[customer] for f in history.facts if customer in f.customers]
            _merges_in_any_tree(chance, merge_customers, news)


def test_of_equal_records_the_least_teller_is_kept() -> None:
    def told_by(event: str, api_version: str) -> SourceFacts:
        record = Record("source.failed", 2, 2, "req_1", event, api_version, b"{}", b"")
        return SourceFacts(snapshots={1: {record.key: record}})

    left, right = told_by("evt_1", "2020-08-27"), told_by("evt_2", "2019-12-03")
    assert merge_sources(right, left) == merge_sources(left, right) == left


def test_a_full_second_keeps_its_greatest_keys_and_only_the_newest_lists_are_kept() -> None:
    def told_in(request: str) -> SourceFacts:
        record = Record("source.failed", 2, 2, request, "evt_1", "", b"{}", b"")
        return SourceFacts(snapshots={1: {record.key: record}})

    told = [told_in(f"req_{n}") for n in range(merge.KEPT_RECORDS + 9)]
    keys = sorted(key for facts in told for key in facts.snapshots[1])
    kept = reduce(merge_sources, told).snapshots[1]
    assert sorted(kept) == keys[-merge.KEPT_RECORDS :]
    shown = [CustomerFacts(lists={second: {("card_1",)}}) for second in (2, 1)]
    assert merge_customers(*shown).lists == {2: {("card_1",)}}


@given(known=st.lists(source_facts, max_size=8), also=st.lists(customer_facts, max_size=8))
@searched
def test_forgotten_stays_forgotten_and_holds_nothing(
    known: list[SourceFacts], also: list[CustomerFacts]
) -> None:
    source = reduce(merge_sources, known, SourceFacts(forgotten=2))
    assert source == SourceFacts(forgotten=min(2, source.forgotten))
    customer = reduce(merge_customers, also, CustomerFacts(forgotten=2))
    assert customer == CustomerFacts(forgotten=min(2, customer.forgotten))


def test_merging_leaves_what_it_merges_as_it_was() -> None:
    record = Record("source.failed", 2, 2, "req_1", "evt_1", "2020-08-27", b"{}", b"")
    other = Record("source.failed", 2, 2, "req_2", "evt_2", "2020-08-27", b"{}", b"")
    left = SourceFacts(snapshots={1: {record.key: record}}, owners={"cus_1"})
    right = SourceFacts(snapshots={1: {other.key: other}}, owners={"cus_2"})
    merge_sources(left, right)
    assert left == SourceFacts(snapshots={1: {record.key: record}}, owners={"cus_1"})
    assert right == SourceFacts(snapshots={1: {other.key: other}}, owners={"cus_2"})


def _has_the_laws(merged: Callable[[D, D], D], documents: Sequence[D]) -> None:
    a, b, c = documents
    assert merged(a, b) == merged(b, a)
    assert merged(merged(a, b), c) == merged(a, merged(b, c))
    assert merged(a, a) == a
    assert merged(merged(a, b), b) == merged(a, b)


def _merges_in_any_tree(chance: Random, merged: Callable[[D, D], D], facts: list[D]) -> None:
    if not facts:
        return
    expected = reduce(merged, facts)
    waiting = list(facts)
    waiting.append(chance.choice(facts))
    while len(waiting) > 1:
        left = waiting.pop(chance.randrange(len(waiting)))
        right = waiting.pop(chance.randrange(len(waiting)))
        waiting.append(merged(left, right))
    assert waiting == [expected]
