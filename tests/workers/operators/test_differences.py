"""How a difference between an answer and Stripe is called."""

import json
from typing import Any

import msgspec
import pytest

from service.documents import CustomerAnswer, ListedSource
from tests.workers.notation import CUSTOMER, card, customer, embedded
from workers.algebra.objects import fields_of
from workers.asking.reads import Read
from workers.operators.differences import differences

A, B = card("A"), card("B")
SOURCE = {"id": "src_A", "object": "source", "metadata": {}}


def answer(default: str, *sources: Any, deleted: bool = False, **more: Any) -> CustomerAnswer:
    return CustomerAnswer(
        body=json.dumps(customer(default, **more)).encode(),
        deleted=deleted,
        default=f"card_{default}",
        basis="confirmed",
        sources=[ListedSource(s["id"], s["object"], json.dumps(s).encode()) for s in sources],
        second=1,
        event="evt_1",
        ambiguous=["object"],
    )


def read(default: str, *sources: Any, **more: Any) -> Read:
    shown = customer(default, sources=embedded(*sources), **more)
    return Read(CUSTOMER, 9, fields_of(msgspec.json.encode(shown)) or {})


GONE = Read(
    CUSTOMER,
    9,
    fields_of(json.dumps({"id": CUSTOMER, "object": "customer", "deleted": True}).encode()) or {},
)


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        (answer("A", A, B), read("A", A, B), []),
        (None, read("A", A), [("missing", CUSTOMER, [])]),
        (answer("A", A, deleted=True), read("A", A), [("missing", CUSTOMER, [])]),
        (answer("A", A, deleted=True), GONE, []),
        (answer("A", A), GONE, [("orphan", CUSTOMER, [])]),
        (answer("A", A), read("A", A, B), [("missing", "card_B", [])]),
        (answer("A", A, B), read("A", A), [("orphan", "card_B", [])]),
        (answer("A", A, B), read("B", A, B), [("wrong default", CUSTOMER, ["default_source"])]),
        (answer("A", A, B), read("A", B, A), [("wrong order", CUSTOMER, [])]),
        (answer("A", A), read("A", A, name="x"), [("stale", CUSTOMER, ["name"])]),
        (answer("A", A), read("A", A, discount={}), [("silent update", CUSTOMER, ["discount"])]),
        (answer("A", A), read("A", A | {"exp_year": 1}), [("stale", "card_A", ["exp_year"])]),
        (
            answer("A", SOURCE),
            read("A", SOURCE | {"metadata": {"a": "b"}}),
            [("silent update", "src_A", ["metadata"])],
        ),
    ],
)
def test_each_kind_of_difference_has_its_name(
    ours: CustomerAnswer | None, theirs: Read, told: list[tuple[str, str, list[str]]]
) -> None:
    found = differences(ours, theirs)
    assert [(one.kind, one.object, one.fields) for one in found] == told


def test_it_says_where_the_answer_itself_is_in_doubt() -> None:
    [stale] = differences(answer("A", A), read("A", A, name="x"))
    [missing] = differences(answer("A", A), read("A", A, B))
    assert (stale.doubted, missing.doubted) == (True, False)
