"""A timeline is a function of the events, and its end is the present answer."""

from collections.abc import Sequence
from random import Random

import pytest

from service.documents import CustomerAnswer
from service.event import Event, read_event
from service.event_types import READ_TYPE
from service.timeline import Change, Teller, Timeline
from tests.workers.fold import TEST, Fold, facts_told
from tests.workers.histories import PROMOTION_UNTOLD, WORLDS, lived
from tests.workers.notation import (
    CUSTOMER,
    added,
    card,
    created,
    customer,
    event,
    removed,
    source_id,
    updated,
)
from tests.workers.stripe_model import World
from workers.timelines.changes import Heard
from workers.timelines.retelling import retell

HISTORIES = 8
"""Of each kind of world; every one is told five times."""

A, B, C = map(source_id, "ABC")


def heard_of(bodies: Sequence[bytes]) -> list[Heard]:
    heard = []
    for body in bodies:
        told = read_event(body)
        assert isinstance(told, Event)
        teller = Teller(told.id, told.type, told.created, told.request or None, 0)
        heard.append(Heard(teller, facts_told(body)))
    return heard


def retold(
    *bodies: bytes, kept: Sequence[bytes] | None = None, customer_id: str = CUSTOMER
) -> Timeline:
    """Tell the timeline of a customer who lived all this; the log has kept some of it, or all."""
    fold = Fold(map(facts_told, bodies))
    stored = fold.customers[customer_id], fold.customer(customer_id)
    return retell(TEST, customer_id, stored, heard_of(bodies if kept is None else kept))


def brief(change: Change) -> tuple[int, str, str | None, str | None, str]:
    source = change.source or change.rule
    return change.created, change.type, source, change.default_source, change.through


def told_sources(timeline: Timeline) -> set[str]:
    """Return the sources a customer has after all that a timeline tells."""
    has: set[str] = set()
    for change in timeline.changes:
        if change.type == "source.added" and change.source:
            has.add(change.source)
        if change.type == "source.removed" and change.source:
            has.discard(change.source)
    return has


def ends_as(timeline: Timeline, answer: CustomerAnswer) -> bool:
    last = timeline.changes[-1]
    if answer.deleted:
        return last.type == "customer.deleted" and last.default_source is None
    listed = {source.id for source in answer.sources}
    shown = (last.default_source or "", last.basis)
    return listed <= told_sources(timeline) and shown == (answer.default, answer.basis)


@pytest.mark.parametrize("world", [*WORLDS, *PROMOTION_UNTOLD], ids=lambda world: world.name)
def test_it_depends_on_no_order_and_ends_at_the_present_answer(world: World) -> None:
    for number in range(HISTORIES):
        chance = Random(f"{world.name} {number}")  # noqa: S311 - an example, no secret
        bodies = list(lived(chance, world).stripe.bodies())
        fold = Fold(map(facts_told, bodies))
        for customer_id in fold.customers:
            timeline = retold(*bodies, customer_id=customer_id)
            assert timeline.whole
            assert timeline.agrees
            assert ends_as(timeline, fold.customer(customer_id)), f"{world.name} {number}"
            shuffled = [*bodies, *chance.sample(bodies, len(bodies) // 2)]
            chance.shuffle(shuffled)
            again = retold(*shuffled, kept=list(dict.fromkeys(shuffled)), customer_id=customer_id)
            assert again == timeline
            for _ in range(3):
                rest = chance.sample(bodies, chance.randrange(len(bodies)))
                partly = retold(*bodies, kept=rest, customer_id=customer_id)
                assert ends_as(partly, fold.customer(customer_id)), f"{world.name} {number}"


def test_every_change_says_when_which_and_through_what() -> None:
    timeline = retold(
        created("A", 1),
        added("A", 1),
        added("B", 2),
        removed("A", 5),
        updated(("B", "C"), 6),
        added("C", 6, exp_year=2031),
        event("customer.source.updated", card("C", exp_year=2033), 8, previous={"exp_year": 2031}),
        removed("C", 9),
    )
    assert [brief(change) for change in timeline.changes] == [
        (1, "customer.first_seen", None, A, "event"),
        (1, "source.added", A, A, "event"),
        (1, "default.changed", "shown", A, "event"),
        (2, "source.added", B, A, "event"),
        (5, "source.removed", A, B, "event"),
        (5, "default.changed", "passed_on", B, "rule"),
        (6, "source.added", C, C, "event"),
        (6, "default.changed", "shown", C, "event"),
        (8, "source.changed", C, C, "event"),
        (9, "source.removed", C, B, "event"),
        (9, "default.changed", "passed_on", B, "rule"),
    ]
    assert (timeline.default_source, timeline.basis, timeline.rule) == (B, "inferred", "passed_on")
    [changed] = [change for change in timeline.changes if change.type == "source.changed"]
    assert changed.fields == ["exp_year"]
    assert [teller.type for teller in changed.events] == ["customer.source.updated"]


def test_an_undecided_default_says_between_which_and_why() -> None:
    passed_on = retold(created("A", 1), added("B", 2), added("C", 2), removed("A", 4))
    assert (passed_on.rule, passed_on.between) == ("passed_on", [B, C])
    first = retold(created(None, 1), added("B", 2), added("C", 2))
    assert (first.rule, first.between) == ("first_source", [B, C])
    both = retold(updated(("A", "B"), 5), updated(("A", "C"), 5))
    assert (both.rule, both.basis) == ("undecided", "ambiguous")
    unheard = retold(added("B", 5))
    assert (unheard.rule, unheard.basis) == ("unheard", "ambiguous")
    unsure = retold(created(None, 2), updated([None], 2, previous={"name": "m"}), added("A", 2))
    assert (unsure.rule, unsure.between) == ("first_source", [None, A])


def test_the_last_source_leaves_none() -> None:
    timeline = retold(created("A", 1), added("A", 1), removed("A", 3))
    assert (timeline.default_source, timeline.rule) == (None, "last_removed")


def test_a_customer_without_a_default_is_told_in_so_many_words() -> None:
    timeline = retold(created(None, 1))
    assert (timeline.default_source, timeline.rule) == (None, "shown")
    assert "shows that there is no default" in (timeline.why or "")


def test_of_the_last_default_alone_it_is_said_that_nothing_contradicts_it() -> None:
    timeline = retold(created("A", 1), added("A", 1), added("B", 2), updated("B", 3))
    said = [change.why or "" for change in timeline.changes if change.type == "default.changed"]
    assert len(said) == 2
    assert not any("contradicts" in why for why in said)
    assert timeline.why == f"{said[-1]}, and nothing later contradicts it"


def test_a_change_by_hand_that_may_be_unheard_is_told_as_such() -> None:
    timeline = retold(created("A", 1), added("B", 2))
    assert (timeline.rule, timeline.basis) == ("shown_once", "inferred")
    assert "no customer.updated was ever heard" in (timeline.why or "")


def test_what_came_and_went_in_one_second_is_told() -> None:
    timeline = retold(
        created(None, 1),
        updated((None, "A"), 2),
        added("A", 2),
        updated(("A", None), 2),
        removed("A", 2),
    )
    assert [(change.type, change.source) for change in timeline.changes[1:]] == [
        ("source.added", A),
        ("source.removed", A),
    ]


def test_a_deleted_customer_ends_with_its_deletion() -> None:
    timeline = retold(
        created("A", 1), added("A", 1), event("customer.deleted", customer("A"), 5), added("B", 7)
    )
    last = timeline.changes[-1]
    assert (last.type, last.created, last.previous_default_source) == ("customer.deleted", 5, A)
    assert (timeline.deleted, timeline.rule, timeline.default_source) == (True, "deleted", None)


def test_what_has_left_the_log_is_told_by_the_document_without_an_event() -> None:
    bodies = [created("A", 1), added("A", 1), added("B", 2), removed("A", 5)]
    timeline = retold(*bodies, kept=bodies[3:])
    assert not timeline.whole
    assert [brief(change) for change in timeline.changes if change.source] == [
        (1, "source.added", A, A, "unknown"),
        (2, "source.added", B, A, "unknown"),
        (5, "source.removed", A, B, "event"),
    ]
    assert timeline.changes[0].events == []


def test_what_a_reading_of_stripe_changed_is_told_as_such() -> None:
    bodies = [created("A", 1), added("A", 1), updated(("A", "B"), 5), added("B", 5)]
    heard = heard_of(bodies)
    heard[2:] = [h._replace(teller=Teller("read_1", READ_TYPE, 5, None, 6)) for h in heard[2:]]
    fold = Fold(map(facts_told, bodies))
    timeline = retell(TEST, CUSTOMER, (fold.customers[CUSTOMER], fold.customer(CUSTOMER)), heard)
    assert [change.through for change in timeline.changes if change.created == 5] == ["read"] * 2


def test_an_answer_that_another_release_derived_is_said_to_disagree() -> None:
    bodies = [created("A", 1), added("A", 1)]
    fold, other = Fold(map(facts_told, bodies)), Fold(map(facts_told, bodies[:1]))
    stored = fold.customers[CUSTOMER], other.customer(CUSTOMER)
    assert not retell(TEST, CUSTOMER, stored, heard_of(bodies)).agrees
