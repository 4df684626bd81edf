"""The smallest histories that a naive reading gets wrong; each in every order, and told twice."""

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import NamedTuple

import msgspec
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
from workers.algebra.facts import Facts

A, B, C = (source_id(letter) for letter in "ABC")
SRC = source_id("S", "source")
BANK = source_id("K", "bank_account")
REAL_CARD = "card_1IQXC2Pab"


class Row(NamedTuple):
    words: str
    events: Sequence[bytes]
    holds: Callable[[Fold], bool]


def default_is(default: str, basis: str) -> Callable[[Fold], bool]:
    def holds(fold: Fold) -> bool:
        answer = fold.customer(CUSTOMER)
        return (answer.default, answer.basis) == (default, basis)

    return holds


def default_is_one_of(*defaults: str) -> Callable[[Fold], bool]:
    def holds(fold: Fold) -> bool:
        answer = fold.customer(CUSTOMER)
        return answer.default in defaults and "default" in answer.ambiguous

    return holds


def listed_are(*sources: str) -> Callable[[Fold], bool]:
    def holds(fold: Fold) -> bool:
        answer = fold.customer(CUSTOMER)
        return [s.id for s in answer.sources] == list(sources) and "order" not in answer.ambiguous

    return holds


def source_shows(source: str, **shown: object) -> Callable[[Fold], bool]:
    def holds(fold: Fold) -> bool:
        answer = fold.source(source)
        return answer.decided and shown.items() <= msgspec.json.decode(answer.body).items()

    return holds


def customer_shows(**shown: object) -> Callable[[Fold], bool]:
    def holds(fold: Fold) -> bool:
        answer = fold.customer(CUSTOMER)
        body = msgspec.json.decode(answer.body)
        return "object" not in answer.ambiguous and shown.items() <= body.items()

    return holds


def both(*conditions: Callable[[Fold], bool]) -> Callable[[Fold], bool]:
    return lambda fold: all(condition(fold) for condition in conditions)


def knows_no(source: str) -> Callable[[Fold], bool]:
    return lambda fold: source not in fold.sources


def _source(**more: object) -> dict[str, object]:
    fields = {"id": SRC, "object": "source", "status": "chargeable", "metadata": {}}
    return fields | more


def _bank(**more: object) -> dict[str, object]:
    return {"id": BANK, "object": "bank_account", "customer": CUSTOMER, "metadata": {}} | more


def _payment_method(letter: str, exp_year: int) -> dict[str, object]:
    return {
        "id": source_id(letter),
        "object": "payment_method",
        "card": {"exp_year": exp_year},
        "customer": CUSTOMER,
        "metadata": {},
    }


ROWS = [
    Row(
        "c(A)@1, u(A→B)@5, u(B→A)@5",
        [created("A", 1), updated("AB", 5), updated("BA", 5)],
        default_is(A, "confirmed"),
    ),
    Row(
        "c(A)@1 +A@1 +B@1: list",
        [created("A", 1), added("A", 1), added("B", 1)],
        listed_are(B, A),
    ),
    Row(
        "+A(exp 30)@2, payment_method.updated(30→31)@2",
        [
            added("A", 2, exp_year=2030),
            event(
                "payment_method.updated",
                _payment_method("A", 2031),
                2,
                previous={"card": {"exp_year": 2030}},
            ),
        ],
        source_shows(A, exp_year=2031),
    ),
    Row(
        "source.chargeable@2 and +src@2",
        [
            event("source.chargeable", _source(), 2),
            event("customer.source.created", _source(customer=CUSTOMER, amount=5), 2),
        ],
        source_shows(SRC, customer=CUSTOMER, amount=5),
    ),
    Row(
        "c(A)@1, +B@2 +C@2, −A@4 without u",  # noqa: RUF001 - the table's own words
        [created("A", 1), added("B", 2), added("C", 2), removed("A", 4)],
        default_is_one_of(B, C),
    ),
    Row(
        "c(A)@1, +B@2, +C@4 −A@4 without u",  # noqa: RUF001 - the table's own words
        [created("A", 1), added("B", 2), added("C", 4), removed("A", 4)],
        default_is_one_of(B, C),
    ),
    Row(
        "c(null)@1, +A@2 +B@2 without u",
        [created(None, 1), added("A", 2), added("B", 2)],
        default_is_one_of(A, B),
    ),
    Row(
        # As literally written it tells the same facts as the row after it, since u(A→null) says
        # that A is gone. Only what went before tells that the walk began, and so ends, at null:
        # that it is *confirmed* presumes the customer's creation, c(null)@1.
        "u(null→A)@2 +A@2 u(A→null)@2, removal lost",
        [created(None, 1), updated((None, "A"), 2), added("A", 2), updated(("A", None), 2)],
        both(default_is("", "confirmed"), listed_are()),
    ),
    Row(
        "u(null→A)@2 +A@2 u(A→null)@2 −A@2",  # noqa: RUF001 - the table's own words
        [updated((None, "A"), 2), added("A", 2), updated(("A", None), 2), removed("A", 2)],
        default_is("", "inferred"),
    ),
    Row(
        "u(name, default null)@2, +A@2, no u(null→A)",
        [updated((None,), 2, previous={"name": "m"}), added("A", 2)],
        default_is_one_of("", A),
    ),
    Row(
        "c(A)@1, +B@2, A→B never delivered",
        [created("A", 1), added("B", 2)],
        default_is(A, "inferred"),
    ),
    Row(
        "u(null→src)@2, −src@4 that names nobody",  # noqa: RUF001 - the table's own words
        [
            updated((None, SRC), 2),
            event("customer.source.deleted", _source(status="consumed"), 4),
        ],
        default_is("", "inferred"),
    ),
    Row(
        "u(name; list [A])@5, u(metadata; list [B, A])@5",
        [
            updated(("A",), 5, previous={"name": "m"}, metadata={}, sources=embedded(card("A"))),
            updated(
                ("A",),
                5,
                previous={"metadata": {"k": None}},
                metadata={"k": "1"},
                sources=embedded(card("B"), card("A")),
            ),
        ],
        both(customer_shows(name="n", metadata={"k": "1"}), listed_are(B, A)),
    ),
    Row(
        "u(name)@5 (seq 1), u(A→B)@5 (seq 2: a field nobody reports)",
        [updated(("A",), 5, previous={"name": "m"}, seq=1), updated("AB", 5, seq=2)],
        both(default_is(B, "confirmed"), customer_shows(seq=2)),
    ),
    Row(
        "+B@5 alone, nothing known of the customer",
        [added("B", 5)],
        default_is_one_of(B),
    ),
    Row(
        "bank: verified(new→verified)@2, metadata edit without previous@2",
        [
            event(
                "customer.source.updated",
                _bank(status="verified"),
                2,
                previous={"status": "new"},
            ),
            event("customer.source.updated", _bank(status="verified", metadata={"k": "1"}), 2),
        ],
        source_shows(BANK, status="verified", metadata={"k": "1"}),
    ),
    Row(
        "test event 2012: c(cus_000, default = real card R, list [R])",
        [
            event(
                "customer.created",
                customer(REAL_CARD, sources=embedded(card("R", id=REAL_CARD, customer="cus_000")))
                | {"id": "cus_00000000000000"},
                1_326_853_478,
                event_id="evt_00000000000000",
            )
        ],
        knows_no(REAL_CARD),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.words for row in ROWS])
def test_the_answer_is_the_same_in_every_order(row: Row) -> None:
    facts = [facts_told(body) for body in row.events]
    expected = Fold(facts).answers()
    for order in permutations(facts):
        for told in (order, (*order, *order), _each_again_later(order)):
            fold = Fold(told)
            assert row.holds(fold), fold.answers()
            assert fold.answers() == expected


def _each_again_later(order: Sequence[Facts]) -> list[Facts]:
    """Return the facts with every one told a second time after the next."""
    return [told for pair in zip(order[1:], order, strict=False) for told in pair] + [*order]
