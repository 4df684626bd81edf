"""Facts applied to a real store: merged, committed, linked; again and again with the same end."""

import time
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest
import redis

from service.documents import version_of
from service.keys import Namespace, Subject, customer_key, source_key
from service.projection import COMMITTED_TOGETHER, Projection, Write
from service.watch.meters import FACTS
from tests.flow.conftest import eventually
from tests.workers.fold import TEST, Fold, facts_told
from tests.workers.histories import WORLDS, delivered, lived
from tests.workers.notation import CUSTOMER, added, card, created, event, removed, source_id
from tests.workers.stored import stored_answers, stored_documents, stored_values, unversioned
from workers import commits
from workers.algebra.facts import CustomerFacts, Facts, Record
from workers.apply import Told, apply
from workers.commits import ConflictError
from workers.effect import Doubt, Effect

if TYPE_CHECKING:
    from tests.conftest import Store

CARD = source_id("A")
HISTORIES = 40
HISTORY = [created("A", 1), added("A", 1), added("B", 3), removed("A", 5)]


@pytest.fixture
def client(store: "Store") -> "Iterator[redis.Redis]":
    with store.client() as client:
        yield client


@pytest.fixture
def projection(client: "redis.Redis") -> Projection:
    return Projection(client)


def told(*bodies: bytes, namespace: Namespace = TEST) -> list[Told]:
    return [Told(f"{n}-0", namespace, facts_told(body)) for n, body in enumerate(bodies)]


def expected_of(*bodies: bytes) -> dict[str, bytes]:
    answers = Fold(facts_told(body) for body in bodies).answers()
    return {subject: msgspec.msgpack.encode(answer) for subject, answer in answers.items()}


def test_a_batch_is_applied_and_says_what_changed(
    client: "redis.Redis", projection: Projection
) -> None:
    effect = apply(projection, told(*HISTORY))
    assert effect == Effect(changed={"0-0", "1-0", "2-0", "3-0"}, failed={})
    assert stored_answers(client) == expected_of(*HISTORY)


def test_nothing_told_asks_the_store_nothing(store: "Store") -> None:
    closed = redis.Redis.from_url(store.url.replace(str(store.port), "1"))
    assert apply(Projection(closed), []) == Effect(changed=set(), failed={})


def test_applying_again_changes_no_byte(client: "redis.Redis", projection: Projection) -> None:
    apply(projection, told(*HISTORY))
    before = stored_values(client)
    assert apply(projection, told(*HISTORY)) == Effect(changed=set(), failed={})
    assert stored_values(client) == before


def test_an_old_event_told_anew_changes_nothing_of_what_came_later(
    client: "redis.Redis", projection: Projection
) -> None:
    for body in HISTORY:
        apply(projection, told(body))
    for body in reversed(HISTORY):
        assert apply(projection, told(body)).changed == set()
    assert stored_answers(client) == expected_of(*HISTORY)


def test_histories_end_the_same_in_any_order_and_batches(
    client: "redis.Redis", projection: Projection
) -> None:
    for number in range(HISTORIES):
        chance = Random(number)  # noqa: S311 - an example, no secret
        history = lived(chance, WORLDS[number % len(WORLDS)])
        expected = Fold(history.facts)
        client.flushdb()
        for batch in delivered(chance, history.facts):
            apply(projection, [Told(str(n), TEST, facts) for n, facts in enumerate(batch)])
        stored = stored_documents(client)
        assert {s: answer for s, (answer, _) in stored.items()} == expected.answers(), number
        facts = {subject: unversioned(known) for subject, (_, known) in stored.items()}
        assert facts == {s: unversioned(known) for s, known in expected.facts().items()}, number


def test_what_is_ambiguous_is_said_of_every_customer_told_of_changed_or_not(
    client: "redis.Redis", projection: Projection
) -> None:
    bodies = [created(None, 1), added("A", 2), added("B", 2)]
    first = apply(projection, told(*bodies)).doubts
    version = version_of(stored_values(client)[customer_key(TEST, CUSTOMER)])
    assert first == {Subject(TEST, CUSTOMER): Doubt(version, ("default", "order"))}
    assert apply(projection, told(bodies[1])).doubts == first


def test_namespaces_never_mix(client: "redis.Redis", projection: Projection) -> None:
    live = Namespace("acct_1", "live")
    apply(projection, told(*HISTORY))
    apply(projection, told(created(None, 9), namespace=live))
    keys = stored_values(client)
    assert customer_key(live, CUSTOMER) in keys
    assert customer_key(TEST, CUSTOMER) in keys
    assert source_key(live, CARD) not in keys


def test_a_source_of_two_owners_is_linked_to_both(
    client: "redis.Redis", projection: Projection
) -> None:
    """Stripe never does this; a fact is a fact."""
    other = event("customer.source.updated", card("A", customer="cus_2"), 3)
    apply(projection, told(added("A", 1), other))
    documents = stored_documents(client)
    assert CARD in documents["cus_1"][1].links
    assert CARD in documents["cus_2"][1].links


# --- conflicts and crashes ----------------------------------------------------------------------


class _CrashError(Exception):
    pass


class _Crashing(Projection):
    """Dies after so many commits, as a worker does that is killed between two of them."""

    commits = 1

    def commit(self, writes: Iterable[Write]) -> list[bool]:
        if not self.commits:
            raise _CrashError
        self.commits -= 1
        return super().commit(writes)


def test_a_crash_between_source_and_customer_is_healed_by_applying_again(
    client: "redis.Redis", projection: Projection
) -> None:
    arrived = told(added("A", 5))
    apply(projection, told(created(None, 1)))
    with pytest.raises(_CrashError):
        apply(_Crashing(client), arrived)
    documents = stored_documents(client)
    assert CARD in documents
    assert documents[CUSTOMER][1].links == {}, "the link was never pushed"
    assert apply(projection, arrived).changed == {"0-0"}
    again = stored_documents(client)
    assert again[CARD] == documents[CARD], (
        "the source is as it was; its link is pushed all the same"
    )
    assert again[CUSTOMER][0].default == CARD


def test_a_deletion_that_waits_for_its_owner_reaches_it_though_the_source_does_not_change(
    client: "redis.Redis", projection: Projection
) -> None:
    gone = event("customer.source.deleted", {"id": "src_1", "object": "source"}, 9)
    come = event(
        "customer.source.created", {"id": "src_1", "object": "source", "customer": CUSTOMER}, 5
    )
    apply(projection, told(gone))
    assert set(stored_documents(client)) == {"src_1"}
    apply(projection, told(come))
    documents = stored_documents(client)
    assert documents[CUSTOMER][1].links["src_1"].times.gone == 9
    assert documents[CUSTOMER][0].sources == []


class _Disturbed(Projection):
    """Somebody else always commits in between: the first commits of every document are refused."""

    def __init__(self, client: "redis.Redis", other: Sequence[Told]) -> None:
        super().__init__(client)
        self.other = list(other)
        self.refused = 0

    def commit(self, writes: Iterable[Write]) -> list[bool]:
        if self.other:
            apply(Projection(self._client), [self.other.pop()])
        stored = super().commit(writes)
        self.refused += stored.count(False)
        return stored


def test_a_conflict_is_merged_anew_and_loses_nothing(client: "redis.Redis") -> None:
    view = {"id": CARD, "object": "payment_method", "customer": CUSTOMER, "metadata": {"k": "1"}}
    others = [event("payment_method.updated", view, 7), created("A", 1), added("A", 1)]
    mine = [added("B", 3), removed("A", 9)]
    disturbed = _Disturbed(client, told(*others))
    effect = apply(disturbed, told(*mine))
    assert effect == Effect(changed={"0-0", "1-0"}, failed={})
    assert disturbed.refused >= 2
    standings = sum(n for field, n in effect.meters.items() if field.startswith(FACTS.name))
    assert standings == 2, "each source once, however often it was merged"
    assert stored_answers(client) == expected_of(*others, *mine)


class _Refusing(Projection):
    def commit(self, writes: Iterable[Write]) -> list[bool]:
        return [False for _ in writes]


def test_a_store_that_always_refuses_is_given_up(
    client: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "CONFLICT_ROUNDS", 3)
    with pytest.raises(ConflictError, match="1 documents were refused 3 times"):
        apply(_Refusing(client), told(created(None, 1)))


def test_a_document_that_cannot_be_derived_fails_its_own_events_only(
    client: "redis.Redis", projection: Projection
) -> None:
    broken = [
        Record("customer.updated", 2, 0, f"req_{n}", f"evt_{n}", "", b"{", b"") for n in range(2)
    ]
    facts = Facts(customers={"cus_9": CustomerFacts(snapshots={5: {r.key: r for r in broken}})})
    effect = apply(projection, [*told(*HISTORY), Told("9-0", TEST, facts)])
    assert list(effect.failed) == ["9-0"]
    assert isinstance(effect.failed["9-0"], msgspec.DecodeError)
    assert stored_answers(client) == expected_of(*HISTORY)


# --- the projection itself ----------------------------------------------------------------------


def test_a_commit_stores_only_what_was_made_from_what_is_stored(projection: Projection) -> None:
    first = Write("onfile:c:{test::cus_1}", 0, (7).to_bytes(8, "big") + b"first")
    assert projection.commit([first]) == [True]
    assert projection.commit([first]) == [False]
    wrong = first._replace(expected=6, value=(8).to_bytes(8, "big") + b"wrong")
    right = first._replace(expected=7, value=(8).to_bytes(8, "big") + b"right")
    other = Write("onfile:c:{test::cus_2}", 0, (1).to_bytes(8, "big"))
    assert projection.commit([wrong, other, right]) == [False, True, True]
    assert projection.load([first.key, "onfile:c:{test::cus_3}"]) == [right.value, None]


def test_documents_are_on_their_way_while_others_are_made(
    client: "redis.Redis", projection: Projection
) -> None:
    first, *writes = [
        Write(f"onfile:c:{{test::cus_{n}}}", 0, (1).to_bytes(8, "big")) for n in range(251)
    ]
    projection.commit([first])  # from now on the store knows the script

    def made() -> Iterator[Write]:
        for number, write in enumerate(writes):
            if number == 101:
                eventually(lambda: client.dbsize() == 1 + COMMITTED_TOGETHER)
            yield write

    assert projection.commit(made()) == [True] * 250
    assert projection.commit(writes) == [False] * 250


def test_nothing_to_load_or_commit_asks_nothing(projection: Projection) -> None:
    assert (projection.load([]), projection.commit([])) == ([], [])


def test_a_store_that_forgot_the_script_is_told_it_again(
    client: "redis.Redis", projection: Projection
) -> None:
    apply(projection, told(HISTORY[0]))
    client.script_flush()
    assert apply(projection, told(*HISTORY)).failed == {}
    assert stored_answers(client) == expected_of(*HISTORY)


def test_a_store_that_forgets_the_script_again_at_once_is_given_it_with_the_documents(
    client: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "script_load", lambda _script: client.script_flush())
    client.script_flush()
    assert apply(Projection(client), told(*HISTORY)).failed == {}
    assert stored_answers(client) == expected_of(*HISTORY)


def test_versions_grow_even_when_the_clock_does_not(
    client: "redis.Redis", projection: Projection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 5_000_000)
    key = source_key(TEST, CARD)
    versions = []
    for body in (added("A", 1), event("customer.source.updated", card("A", exp_year=2031), 2)):
        apply(projection, told(body))
        versions.append(version_of(stored_values(client)[key]))
    assert versions == [5, 6]
