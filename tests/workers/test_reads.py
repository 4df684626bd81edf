"""Reads of Stripe as entries of the log: what they tell, and that no delivery can pass for one."""

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import pytest

from service.event import Event, Unprojected, read_event
from service.event_types import LOGGED_TYPES, READ_TYPE
from tests.workers.fold import Fold, facts_told
from tests.workers.notation import CUSTOMER, added, card, created, customer, embedded, event
from workers.algebra.facts import Facts
from workers.handlers import UnprojectableError, facts_of

A, B = card("A"), card("B")


def read(
    default: str | None, at: int, *sources: Mapping[str, Any], gone: Sequence[str] = (), **more: Any
) -> bytes:
    shown = customer(default, sources=embedded(*sources), **more)
    return event(READ_TYPE, {"id": CUSTOMER, "customer": shown, "gone": gone}, at)


def facts_read(body: bytes) -> Facts:
    """Return the facts of an entry of the log."""
    entry = read_event(body, projected=LOGGED_TYPES)
    assert isinstance(entry, Event)
    return facts_of(entry)


def in_every_order(*bodies: bytes) -> Fold:
    """Return what they come to, having seen that their order does not matter."""
    told = [facts_read(body) for body in bodies]
    folds = [Fold(order) for order in permutations(told)]
    assert all(fold.answers() == folds[0].answers() for fold in folds)
    return folds[0]


def test_a_delivery_cannot_bring_a_read_in() -> None:
    assert isinstance(read_event(read("A", 9, A)), Unprojected)
    assert not facts_told(read("A", 9, A))
    shown = {"id": CUSTOMER, "object": READ_TYPE, "customer": customer("A")}
    with pytest.raises(UnprojectableError, match="object_of_unknown_kind"):
        facts_told(event("customer.updated", shown, 9))


def test_a_read_alone_is_the_whole_answer() -> None:
    answer = in_every_order(read("A", 9, B, A)).customer(CUSTOMER)
    assert (answer.default, answer.basis, answer.ambiguous) == ("card_A", "confirmed", [])
    assert [source.id for source in answer.sources] == ["card_B", "card_A"]


def test_a_read_settles_what_events_could_not() -> None:
    undecided = [created(None, 1), added("A", 2), added("B", 2)]
    assert Fold(map(facts_read, undecided)).customer(CUSTOMER).ambiguous == ["default", "order"]
    answer = in_every_order(*undecided, read("B", 9, A, B)).customer(CUSTOMER)
    assert (answer.default, answer.basis, answer.ambiguous) == ("card_B", "confirmed", [])
    assert [source.id for source in answer.sources] == ["card_A", "card_B"]


def test_what_happens_after_a_read_outranks_it() -> None:
    fold = in_every_order(created("A", 1), added("A", 1), read("A", 5, A), added("B", 9))
    assert [source.id for source in fold.customer(CUSTOMER).sources] == ["card_B", "card_A"]


def test_what_a_read_did_not_find_has_gone_for_good() -> None:
    bodies = created("A", 1), added("A", 1), read(None, 5, gone=["card_A"])
    fold = in_every_order(*bodies)
    assert fold.source("card_A").gone
    assert fold.customer(CUSTOMER).sources == []
    assert fold.customer(CUSTOMER).default == ""


def test_a_deleted_customer_is_deleted_by_a_read() -> None:
    stub = {"id": CUSTOMER, "object": "customer", "deleted": True}
    body = event(READ_TYPE, {"id": CUSTOMER, "customer": stub, "gone": []}, 5)
    assert in_every_order(created("A", 1), added("A", 1), body).customer(CUSTOMER).deleted


def test_a_read_that_shows_another_customer_is_refused() -> None:
    shown = {"id": CUSTOMER, "customer": customer("A") | {"id": "cus_2"}, "gone": []}
    with pytest.raises(UnprojectableError, match="reading_without_customer"):
        facts_read(event(READ_TYPE, shown, 5))
