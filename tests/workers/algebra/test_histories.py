"""Answers compared with a model of Stripe that knows the truth, over thousands of its histories.

Nothing wrong goes unsaid: an answer that is not Stripe's calls itself ambiguous. What is excused is
named where it is: what changes silently (`Truth.silent`), and what an endpoint is not told of.
"""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import given

from tests.workers.fold import Fold
from tests.workers.histories import (
    PROMOTION_UNTOLD,
    WORLDS,
    chances,
    delivered,
    histories,
    lived,
    searched,
)
from tests.workers.judgement import Verdict, judged
from tests.workers.stripe_model import World

Tally: TypeAlias = Counter[tuple[str, str, bool]]
"""How often: which thing, what was claimed of it, whether it was right."""

NO_UPDATES = World("endpoint without customer.updated", updates_told=False, explicit=False)
NO_UPDATES_BUT_CHANGES = World("the same with explicit changes", updates_told=False)
LOST = World("events lost")
LOST_SHARE = 0.1


@pytest.mark.parametrize("world", [*WORLDS, *PROMOTION_UNTOLD], ids=lambda world: world.name)
def test_nothing_wrong_goes_unsaid(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    tally = _tally(world, excused=lambda _: False)
    for (thing, claim, right), number in sorted(tally.items()):
        record_property(f"{thing}, {claim}, {'right' if right else 'wrong'}", number)
    assert tally["default", "confirmed", True] > tally["default", "ambiguous", True]
    # Were all called ambiguous, nothing would be wrong unsaid either.
    ambiguous = sum(n for (_, claim, _), n in tally.items() if claim == "ambiguous")
    assert ambiguous < 0.05 * tally.total()


def test_an_endpoint_without_customer_updated_is_wrong_only_of_what_it_is_not_told() -> None:
    """It hears nothing of a customer's own fields; the default it works out."""
    _tally(NO_UPDATES, excused=lambda verdict: verdict.thing == "customer")


def test_an_explicit_change_that_is_not_told_leaves_no_wrong_default_confirmed() -> None:
    def excused(verdict: Verdict) -> bool:
        untold_default = verdict.thing == "default" and verdict.claim == "inferred"
        return verdict.thing == "customer" or untold_default

    tally = _tally(NO_UPDATES_BUT_CHANGES, excused=excused)
    assert tally["default", "inferred", False] < 0.1 * tally["default", "inferred", True]


def test_lost_events_make_few_answers_wrong_and_none_impossible() -> None:
    """One in ten events never comes: answers may be wrong, but not many, and none contradicts
    itself: the default is in the list unless a source is known by hearsay only."""
    tally: Tally = Counter()
    for seed, chance, history in histories(LOST):
        heard = [facts for facts in history.facts if chance.random() >= LOST_SHARE]
        fold = Fold(heard)
        again = Fold()
        for batch in delivered(chance, heard):
            again.apply(batch)
        assert again.answers() == fold.answers(), seed
        for verdict in judged(fold, history.stripe.truth):
            tally[verdict.thing, verdict.claim, verdict.right] += 1
            assert verdict.thing != "written default" or verdict.right, seed
    assert tally["set", "decided", False] < 0.15 * tally["set", "decided", True]
    assert tally["default", "confirmed", False] < 0.05 * tally["default", "confirmed", True]


@given(chances)
@searched
def test_a_confirmed_or_inferred_default_is_the_true_one(chance: Random) -> None:
    history = lived(chance, chance.choice(WORLDS))
    fold = Fold(history.facts)
    for verdict in judged(fold, history.stripe.truth):
        assert not (verdict.thing == "default" and verdict.wrong_unsaid), verdict


@given(chances)
@searched
def test_any_delivery_of_the_same_events_gives_the_same_answers(chance: Random) -> None:
    history = lived(chance, chance.choice([*WORLDS, *PROMOTION_UNTOLD]))
    expected = Fold(history.facts).answers()
    for _ in range(3):
        fold = Fold()
        for batch in delivered(chance, history.facts):
            fold.apply(batch)
        assert fold.answers() == expected


@given(chances)
@searched
def test_deleted_stays_deleted_whatever_comes_late(chance: Random) -> None:
    history = lived(chance, chance.choice(WORLDS))
    truth = history.stripe.truth
    deletions = [f for f in history.facts if any(c.deleted for c in f.customers.values())]
    removals = [
        f for f in history.facts if any(s.times.gone < 2**32 - 1 for s in f.sources.values())
    ]
    fold = Fold([*deletions, *removals])
    for batch in delivered(chance, history.facts):
        fold.apply(batch)
        assert truth.deleted == {c for c in fold.customers if fold.customer(c).deleted}
        for customer in fold.customers:
            listed = {source.id for source in fold.customer(customer).sources}
            assert not listed & truth.removed
            assert fold.customer(customer).default not in truth.removed
    assert all(fold.source(source).gone for source in truth.removed if source in fold.sources)


def _tally(world: World, *, excused: Callable[[Verdict], bool]) -> Tally:
    """Judge a world's histories, each delivered in some order; fail on what is wrong unsaid."""
    tally: Tally = Counter()
    for seed, chance, history in histories(world):
        fold = Fold()
        for batch in delivered(chance, history.facts):
            fold.apply(batch)
        for verdict in judged(fold, history.stripe.truth):
            tally[verdict.thing, verdict.claim, verdict.right] += 1
            assert not verdict.wrong_unsaid or excused(verdict), (seed, verdict)
    return tally
