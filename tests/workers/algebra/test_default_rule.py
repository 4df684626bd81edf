"""The default: shown by the newest customer, carried through what came and went since."""

import json
from collections.abc import Sequence

import pytest

from tests.workers.fold import Fold, facts_told
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

A, B, C = (source_id(letter) for letter in "ABC")
UNTOLD = {"id": CUSTOMER, "object": "customer"}
"""A customer that shows no default, which is not to say it has none."""


def default_after(*bodies: bytes) -> tuple[str, str]:
    answer = Fold(facts_told(body) for body in bodies).customer(CUSTOMER)
    shown = json.loads(answer.body).get("default_source") or ""
    assert shown == answer.default, "the customer is served with this default written in"
    assert ("default" in answer.ambiguous) == (answer.basis == "ambiguous")
    return answer.default, answer.basis


CASES: dict[str, tuple[Sequence[bytes], tuple[str, str]]] = {
    "what the newest customer shows is confirmed": ([created("A", 1)], (A, "confirmed")),
    "no default is confirmed too": ([created(None, 1)], ("", "confirmed")),
    "a further source leaves it, and a change would have been told": (
        [created("A", 1), updated(("A",), 2, previous={"name": "m"}), added("B", 3)],
        (A, "confirmed"),
    ),
    "a further source leaves it, but a change may not be told here": (
        [created("A", 1), added("B", 3)],
        (A, "inferred"),
    ),
    "a further source seen from elsewhere leaves it as doubtful": (
        [created("A", 1), event("customer.source.updated", card("B"), 3)],
        (A, "inferred"),
    ),
    "what came before the customer's newest second casts no doubt": (
        [added("B", 1), event("customer.created", customer("A"), 3)],
        (A, "confirmed"),
    ),
    "the first source becomes the default": (
        [created(None, 1), added("A", 2), added("B", 4)],
        (A, "inferred"),
    ),
    "it does so in a later second than an update that shows none": (
        [updated((None,), 2, previous={"name": "m"}), added("A", 4)],
        (A, "inferred"),
    ),
    "of two first ones of one second nobody knows which": (
        [created(None, 1), added("A", 2), added("B", 2)],
        (A, "ambiguous"),
    ),
    "the last one removed leaves none": ([created("A", 1), removed("A", 2)], ("", "inferred")),
    "the most recently added takes the place of a removed default": (
        [created("A", 1), added("B", 2), added("C", 3), removed("A", 4)],
        (C, "inferred"),
    ),
    "so it goes on, one after the other": (
        [created("A", 1), added("B", 2), added("C", 3), removed("A", 4), removed("C", 5)],
        (B, "inferred"),
    ),
    "what had gone before cannot take its place": (
        [created("A", 1), added("B", 2), added("C", 3), removed("C", 4), removed("A", 5)],
        (B, "inferred"),
    ),
    "what came in the second of the removal may have come before it": (
        [created("A", 1), added("B", 2), added("C", 4), removed("A", 4)],
        (C, "ambiguous"),
    ),
    "what came only then is the one": (
        [created("A", 1), added("C", 4), removed("A", 4)],
        (C, "inferred"),
    ),
    "what is only seen was there, nobody knows since when": (
        [
            created("A", 1),
            added("B", 2),
            event("customer.source.updated", card("C"), 5),
            removed("A", 4),
        ],
        (C, "ambiguous"),
    ),
    "a default that had gone before the customer showed it is replaced at once": (
        [created("A", 3), added("B", 1), removed("A", 2)],
        (B, "inferred"),
    ),
    "one that nobody else knows stays": (
        [updated((None, "src_X"), 2)],
        ("src_X", "confirmed"),
    ),
    "without a customer's event the first source known is likeliest": (
        [added("A", 1), added("B", 2)],
        (A, "ambiguous"),
    ),
    "a customer that shows no default shows nothing": (
        [event("customer.updated", UNTOLD, 5), added("A", 1)],
        (A, "ambiguous"),
    ),
    "where a list shows which of two was the first, it is the likeliest": (
        [
            event("customer.created", {**UNTOLD, "sources": embedded(card("A"), card("B"))}, 1),
            added("A", 1),
            added("B", 1),
        ],
        (B, "ambiguous"),
    ),
    "an undecided customer that has a source has a default": (
        [
            added("A", 1),
            event("customer.updated", customer("A"), 5),
            event("customer.updated", customer(None), 5),
        ],
        (A, "inferred"),
    ),
    "an undecided customer of whose sources nothing is known may have none": (
        [
            event("customer.updated", customer("A"), 5),
            event("customer.updated", customer(None), 5),
        ],
        (A, "ambiguous"),
    ),
    "a customer may be undecided between two": (
        [
            event("customer.updated", customer("A"), 5),
            event("customer.updated", customer("B"), 5),
            added("A", 1),
            added("B", 2),
        ],
        (B, "ambiguous"),
    ),
    "between two of which nothing else is known": (
        [
            event("customer.updated", customer("src_X"), 5, request="req_1"),
            event("customer.updated", customer("src_Y"), 5, request="req_2"),
        ],
        ("src_Y", "ambiguous"),
    ),
}


@pytest.mark.parametrize(("bodies", "expected"), CASES.values(), ids=CASES)
def test_the_default_is_carried_through_what_came_since(
    bodies: Sequence[bytes], expected: tuple[str, str]
) -> None:
    assert default_after(*bodies) == expected
    assert default_after(*reversed(bodies)) == expected
