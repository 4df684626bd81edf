"""One recorded sequence of Stripe's, with the state read from Stripe's API after each step."""

import json
from itertools import groupby, permutations, product
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from service.projection import Projection
from tests.workers.fold import TEST, Fold, facts_told
from tests.workers.stored import stored_answers
from workers.algebra.facts import Facts
from workers.apply import Told, apply

if TYPE_CHECKING:
    from tests.conftest import Store

RECORDED = Path(__file__).parents[2] / "data" / "recorded" / "customer_source_1"
EVENTS: list[dict[str, Any]] = json.loads((RECORDED / "events.json").read_text())["events"]
STATES: list[dict[str, Any]] = json.loads((RECORDED / "states.json").read_text())
FACTS = [facts_told(msgspec.json.encode(event)) for event in EVENTS]

SHUFFLES = 2_000
SHUFFLES_THROUGH_THE_STORE = 200

SILENTLY_CHANGED = {
    ("src_1KyJ69JgUOch852BVNs9tvPa", "metadata", "update_src"): "S1 U2",
    ("src_1KyJ69JgUOch852BVNs9tvPa", "card", "exp_month"): 5,
    ("src_1KyJ69JgUOch852BVNs9tvPa", "card", "exp_year"): 2050,
}
"""What one call of `/v1/sources` changed between events 11 and 12, of which no event tells; event
12 shows it on. It was read once in between: the second of the two states after 11 events. (The
other silent change, of the metadata key `update`, was before the Source was attached: recorded
states show it from event 11 on, which shows it too.)"""

AFTER_THE_SILENT_CHANGE = [s["after_events"] for s in STATES].index(11) + 1

RECORDED_FIELDS = ("type", "customer", "status", "metadata", "card", "owner", "currency", "flow")


@pytest.mark.parametrize(
    "place",
    range(len(STATES)),
    ids=[f"{i}-after-{s['after_events']}" for i, s in enumerate(STATES)],
)
def test_every_prefix_answers_what_stripe_answered(place: int) -> None:
    state = STATES[place]
    fold = Fold(FACTS[: state["after_events"]])
    living = {c for c in fold.customers if not fold.customer(c).deleted}
    assert living == {customer["id"] for customer in state["customers"]}
    for customer in state["customers"]:
        answer = fold.customer(customer["id"])
        body = json.loads(answer.body)
        attached = [s["id"] for s in state["sources"] if s["customer"] == customer["id"]]
        assert answer.default == (customer["default_source"] or "")
        assert body["default_source"] == customer["default_source"]
        assert answer.basis == "confirmed"
        assert [source.id for source in answer.sources] == attached
        assert (body["name"], body["metadata"]) == (customer["name"], customer["metadata"])
        assert answer.ambiguous == []
    for recorded in state["sources"]:
        told = json.loads(fold.source(recorded["id"]).body)
        expected = _without_silent(recorded) if place == AFTER_THE_SILENT_CHANGE else recorded
        for name in RECORDED_FIELDS:
            assert (told[name] or None) == (expected[name] or None), name


def test_nothing_but_the_silent_change_is_excused() -> None:
    """What is left out of one recorded state is there, and is what the next event shows on."""
    before, state, after = STATES[AFTER_THE_SILENT_CHANGE - 1 : AFTER_THE_SILENT_CHANGE + 2]
    for (source, field, key), value in SILENTLY_CHANGED.items():
        assert _recorded(state, source)[field][key] == value
        assert _recorded(before, source)[field].get(key) != value
    source = next(source for source, _, _ in SILENTLY_CHANGED)
    assert _recorded(after, source)["metadata"]["update_src"] == "S1 U2"


def test_every_shuffle_gives_the_same_bytes() -> None:
    expected = _answers_in_order()
    for seed in range(SHUFFLES):
        fold = Fold()
        for batch in _shuffled(Random(seed)):  # noqa: S311 - an example, no secret
            fold.apply(batch)
        assert _bytes(fold) == expected, f"seed {seed}"


def test_every_shuffle_gives_the_same_bytes_through_the_store(store: "Store") -> None:
    expected = _answers_in_order()
    with store.client() as client:
        for seed in range(SHUFFLES_THROUGH_THE_STORE):
            client.flushdb()
            projection = Projection(client)
            for batch in _shuffled(Random(seed)):  # noqa: S311 - an example, no secret
                effect = apply(projection, [Told(str(i), TEST, f) for i, f in enumerate(batch)])
                assert not effect.failed
            assert stored_answers(client) == expected, f"seed {seed}"


def test_every_order_inside_each_second_gives_the_same_bytes() -> None:
    expected = _answers_in_order()
    by_event = zip(EVENTS, FACTS, strict=True)
    seconds = [
        [facts for _, facts in told] for _, told in groupby(by_event, lambda t: t[0]["created"])
    ]
    assert max(map(len, seconds)) == 3
    for orders in product(*(permutations(second) for second in seconds)):
        assert _bytes(Fold(facts for order in orders for facts in order)) == expected


def _shuffled(chance: Random) -> list[list[Facts]]:
    """Return the events in any order, some of them again, in batches of any size."""
    told = FACTS + chance.choices(FACTS, k=chance.randrange(12))
    chance.shuffle(told)
    batches: list[list[Facts]] = []
    while told:
        size = chance.randrange(1, 9)
        batches.append(told[:size])
        del told[:size]
    return batches


def _answers_in_order() -> dict[str, bytes]:
    return _bytes(Fold(FACTS))


def _bytes(fold: Fold) -> dict[str, bytes]:
    return {subject: msgspec.msgpack.encode(a) for subject, a in fold.answers().items()}


def _recorded(state: dict[str, Any], source: str) -> dict[str, Any]:
    return next(recorded for recorded in state["sources"] if recorded["id"] == source)


def _without_silent(recorded: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded source as it was before its silent change."""
    earlier = _recorded(STATES[AFTER_THE_SILENT_CHANGE - 1], recorded["id"])
    expected = dict(recorded)
    for source, field, key in SILENTLY_CHANGED:
        if source == recorded["id"]:
            inner = {k: v for k, v in expected[field].items() if k != key}
            expected[field] = inner | {k: v for k, v in earlier[field].items() if k == key}
    return expected
