"""What is answered: bodies as Stripe would send them, and every stamp a function of the facts."""

import json
from typing import Any

from service.documents import SourceAnswer
from service.keys import Namespace
from tests.workers.fold import TEST, Fold, facts_told
from tests.workers.notation import (
    CUSTOMER,
    added,
    card,
    created,
    customer,
    embedded,
    event,
    removed,
    source_id,
    updated,
)
from workers.algebra.derive import derive_customer, derive_source
from workers.algebra.facts import CustomerFacts, SourceFacts

CARD = source_id("A")
SOURCE = source_id("S", "source")


def fold(*bodies: bytes) -> Fold:
    return Fold(facts_told(body) for body in bodies)


def body_of(known: Fold, subject: str) -> dict[str, Any]:
    answers = known.answers()
    shown: dict[str, Any] = json.loads(answers[subject].body)
    return shown


def source(**more: Any) -> dict[str, Any]:
    return {"id": SOURCE, "object": "source", "status": "chargeable"} | more


# --- a source -----------------------------------------------------------------------------------


def test_of_nothing_nothing_is_answered() -> None:
    assert derive_source(SourceFacts()) == SourceAnswer(
        body=b"", kind="", owner="", gone=False, second=0, event="", decided=True
    )


def test_a_source_known_from_its_customer_only_cannot_be_served() -> None:
    known = fold(created("A", 1))
    answer = known.source(CARD)
    assert (answer.body, answer.owner, answer.second, answer.event) == (b"", CUSTOMER, 1, "")
    assert known.customer(CUSTOMER).sources == []
    assert known.customer(CUSTOMER).default == CARD


def test_an_attached_source_names_its_customer_even_if_its_newest_snapshot_does_not() -> None:
    attached = event("customer.source.created", source(customer=CUSTOMER), 2)
    failed = event("source.failed", source(status="failed"), 3)
    assert body_of(fold(attached, failed), SOURCE) == source(status="failed", customer=CUSTOMER)


def test_a_detached_source_is_consumed_and_nobodys() -> None:
    attached = event("customer.source.created", source(customer=CUSTOMER), 2)
    view = {"id": SOURCE, "object": "payment_method", "customer": None}
    detached = event("payment_method.detached", view, 3, previous={"customer": CUSTOMER})
    assert body_of(fold(attached, detached), SOURCE) == source(status="consumed")


def test_a_deleted_source_is_served_as_stripe_returned_it() -> None:
    deleted = source(status="consumed", metadata={"k": "1"})
    assert body_of(fold(event("customer.source.deleted", deleted, 3)), SOURCE) == deleted


def test_a_deleted_card_keeps_its_last_body_and_leaves_its_customers_list() -> None:
    known = fold(created("A", 1), added("A", 1), removed("A", 4))
    assert known.source(CARD).gone
    assert body_of(known, CARD) == card("A")
    assert known.customer(CUSTOMER).sources == []
    assert known.customers[CUSTOMER].links[CARD].answer.body == b"", "nobody reads it there"


def test_an_undecided_source_says_so_and_so_does_its_customer() -> None:
    known = fold(
        created("A", 1),
        event("customer.source.updated", card("A", exp_year=2031), 5),
        event("customer.source.updated", card("A", exp_year=2032), 5),
    )
    assert not known.source(CARD).decided
    assert known.customer(CUSTOMER).ambiguous == ["object"]


def test_undecided_shared_values_leave_a_source_undecided() -> None:
    view = {"id": CARD, "object": "payment_method", "customer": CUSTOMER}
    known = fold(
        added("A", 1),
        event("payment_method.updated", view | {"metadata": {"k": "1"}}, 5),
        event("payment_method.updated", view | {"metadata": {"k": "2"}}, 5),
    )
    assert not known.source(CARD).decided


def test_a_sources_stamps_are_of_its_greatest_second() -> None:
    view = {"id": CARD, "object": "payment_method", "customer": CUSTOMER, "metadata": {"k": "1"}}
    known = fold(
        event("customer.source.created", card("A"), 1, event_id="evt_1"),
        event("payment_method.updated", view, 3, event_id="evt_2"),
    )
    answer = known.source(CARD)
    assert (answer.second, answer.event) == (3, "evt_2")


def test_of_two_events_of_the_greatest_second_the_least_id_is_the_stamp() -> None:
    view = {"id": CARD, "object": "payment_method", "customer": CUSTOMER, "metadata": {}}
    known = fold(
        event("customer.source.created", card("A"), 3, event_id="evt_2"),
        event("payment_method.attached", view | {"card": {"exp_year": 2030}}, 3, event_id="evt_1"),
    )
    assert known.source(CARD).event == "evt_1"
    assert known.source(CARD).decided


# --- a customer ---------------------------------------------------------------------------------


def test_a_customer_known_only_through_its_sources_answers_with_what_is_known() -> None:
    answer = fold(added("A", 3)).customer(CUSTOMER)
    assert json.loads(answer.body) == {
        "id": CUSTOMER,
        "object": "customer",
        "livemode": False,
        "default_source": CARD,
    }
    assert [listed.id for listed in answer.sources] == [CARD]
    assert answer.basis == "ambiguous"


def test_its_mode_is_its_namespaces() -> None:
    live = derive_customer(Namespace("", "live"), CUSTOMER, CustomerFacts())
    assert json.loads(live.body)["livemode"] is True
    assert (live.second, live.event, live.deleted) == (0, "", False)


def test_a_deleted_customer_is_a_stub_without_sources() -> None:
    known = fold(created("A", 1), added("A", 1), event("customer.deleted", customer("A"), 4))
    answer = known.customer(CUSTOMER)
    assert json.loads(answer.body) == {"id": CUSTOMER, "object": "customer", "deleted": True}
    assert (answer.deleted, answer.default, answer.basis) == (True, "", "confirmed")
    assert (answer.sources, answer.ambiguous, answer.second) == ([], [], 4)


def test_what_comes_after_a_deletion_changes_nothing_but_the_stamps() -> None:
    late = event(
        "payment_method.updated",
        {"id": CARD, "object": "payment_method", "customer": CUSTOMER},
        9,
        event_id="evt_late",
    )
    known = fold(event("customer.deleted", customer("A"), 4), late, created("A", 11))
    answer = known.customer(CUSTOMER)
    assert answer.deleted
    assert answer.second == 11


def test_a_customer_is_served_without_its_list_and_with_all_else_as_stripe_sent_it() -> None:
    more: dict[str, Any] = {
        "balance": 0,
        "address": None,
        "metadata": {},
        "preferred_locales": [],
        "x": {"y": 1},
    }
    known = fold(updated(("A",), 1, previous={}, sources=embedded(card("A")), **more))
    assert body_of(known, CUSTOMER) == customer("A", **more)


def test_of_several_candidates_one_that_shows_the_default_is_served() -> None:
    known = fold(
        added("A", 1),
        added("B", 2),
        event("customer.updated", customer("A", name="a"), 5),
        event("customer.updated", customer("B", name="b"), 5),
    )
    assert known.customer(CUSTOMER).default == "card_B"
    assert body_of(known, CUSTOMER) == customer("B", name="b")
    assert known.customer(CUSTOMER).ambiguous == ["default", "object"]


def test_where_none_shows_the_default_it_is_written_into_the_first() -> None:
    known = fold(created("A", 1, name="a"), added("B", 2), removed("A", 3))
    assert body_of(known, CUSTOMER) == customer("B", name="a")


def test_an_undecided_order_is_said() -> None:
    known = fold(created("A", 1), added("A", 1), added("B", 2), added("C", 2))
    answer = known.customer(CUSTOMER)
    assert [listed.id for listed in answer.sources] == ["card_C", "card_B", "card_A"]
    assert answer.ambiguous == ["order"]


def test_a_customers_stamps_are_those_of_the_newest_thing_it_shows() -> None:
    known = fold(
        event("customer.created", customer(None), 1, event_id="evt_1"),
        event("customer.source.created", card("A"), 3, event_id="evt_3"),
        event("customer.source.created", card("B"), 3, event_id="evt_2"),
    )
    answer = known.customer(CUSTOMER)
    assert (answer.second, answer.event) == (3, "evt_2")
    assert TEST.mode == "test"
