"""A rebuild: after a rule was mended every answer is the right one, and nothing else is touched."""

from typing import TYPE_CHECKING

import msgspec
import pytest

from service.documents import decode_customer, decode_source, encode_document
from service.keys import (
    COUNTERS,
    DOUBTS,
    SOURCE_KEYS,
    Namespace,
    customer_key,
    source_key,
    subject_of,
)
from service.projection import Projection
from tests.workers.notation import added, created, removed, updated
from tests.workers.stored import dumped, stored_answers, stored_values
from workers import deriving, doubts
from workers.algebra.derive import derive_source
from workers.operators import rebuilding
from workers.operators.overlay import Overlay
from workers.operators.rebuilding import Rebuilt

if TYPE_CHECKING:
    from service.documents import SourceAnswer
    from tests.workers.operators.bench import Bench
    from workers.algebra.facts import SourceFacts

HISTORY = [created("A", 1), added("A", 1), added("B", 3), updated(["A", "B"], 4), removed("A", 5)]
TEST = Namespace("", "test")
CUSTOMER = customer_key(TEST, "cus_1")
SOURCE = source_key(TEST, "card_B")


def rebuild(bench: "Bench") -> Rebuilt:
    [*_, done] = rebuilding.rebuild(bench.desk)
    return done


@pytest.fixture(autouse=True)
def rounds_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "ROUND_EVENTS", 1)


@pytest.fixture
def applied(bench: "Bench") -> "Bench":
    bench.accept(*HISTORY)
    bench.drain()
    return bench


def corrupt_customer(bench: "Bench") -> None:
    version, answer, facts = decode_customer(stored_values(bench.log)[CUSTOMER])
    wrong = msgspec.structs.replace(answer, default="card_wrong", ambiguous=["default"])
    bench.log.set(CUSTOMER, encode_document(version, wrong, facts))


def test_where_all_is_right_it_writes_nothing(applied: "Bench") -> None:
    before = dumped(applied.log)
    done = rebuild(applied)
    assert (done.sources, done.customers, done.changed, done.unreadable) == (2, 1, 0, [])
    assert dumped(applied.log) == before


def test_wrong_answers_are_right_again(applied: "Bench") -> None:
    right = stored_answers(applied.log)
    corrupt_customer(applied)
    version, answer, facts = decode_source(stored_values(applied.log)[SOURCE])
    wrong = msgspec.structs.replace(answer, body=b'{"id":"card_B","exp_year":1999}')
    applied.log.set(SOURCE, encode_document(version, wrong, facts))
    assert stored_answers(applied.log) != right
    assert rebuild(applied).changed == 2
    assert stored_answers(applied.log) == right
    assert rebuild(applied).changed == 0


def test_a_mended_rule_for_sources_reaches_their_customers(
    bench: "Bench", monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(facts: "SourceFacts") -> "SourceAnswer":
        answer = derive_source(facts)
        return msgspec.structs.replace(answer, body=answer.body.replace(b"2030", b"1930"))

    with monkeypatch.context() as bad_release:
        bad_release.setattr(deriving, "derive_source", mistaken)
        bench.accept(created("A", 1), added("A", 1))
        bench.drain()
    assert b"1930" in stored_answers(bench.log)["cus_1"]
    rebuild(bench)
    assert b"2030" in stored_answers(bench.log)["cus_1"]
    assert b"1930" not in stored_answers(bench.log)["cus_1"]


def test_a_check_says_what_would_change_and_changes_not_a_byte(applied: "Bench") -> None:
    corrupt_customer(applied)
    before = dumped(applied.log)
    overlay = Overlay(applied.projection)
    [*_, seen] = rebuilding.check(applied.desk, overlay)
    assert seen.changed == 1
    assert dumped(applied.log) == before
    [difference] = overlay.differences()
    told = {change.part: (change.before, change.after) for change in difference.changes}
    assert told == {"default": ("card_wrong", "card_B"), "ambiguous": ("default", "")}


def test_it_keeps_the_doubts_current(bench: "Bench") -> None:
    bench.accept(created(None, 1), added("A", 2), added("B", 2))
    bench.drain()
    right = doubts.count(bench.log)
    assert right.customers == 1
    bench.log.delete(DOUBTS)
    bench.log.hdel(COUNTERS, *[f"doubts:{kind}" for kind in doubts.KINDS])
    rebuild(bench)
    assert doubts.count(bench.log) == right


def test_what_is_applied_meanwhile_is_kept(
    applied: "Bench", monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event comes between the reading of a document and its commit."""
    corrupt_customer(applied)
    load = Projection.load
    meanwhile = [removed("B", 9)]

    def disturbed(self: Projection, keys: list[str]) -> list[bytes | None]:
        values = load(self, keys)
        if CUSTOMER in keys and meanwhile:
            applied.accept(meanwhile.pop())
            applied.drain()
        return values

    monkeypatch.setattr(Projection, "load", disturbed)
    rebuild(applied)
    _, answer, _ = decode_customer(stored_values(applied.log)[CUSTOMER])
    assert (answer.default, answer.sources) == ("", [])


def test_a_document_that_went_since_it_was_found_is_not_made_anew(
    applied: "Bench", monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [*stored_values(applied.log)]
    applied.log.delete(*keys)
    monkeypatch.setattr(
        Projection,
        "keys",
        lambda _, pattern: (key for key in keys if key.startswith(pattern.rstrip("*"))),
    )
    rebuild(applied)
    assert stored_values(applied.log) == {}
    assert doubts.count(applied.log).customers == 0


def test_a_document_that_cannot_be_read_is_named_and_holds_up_nobody(applied: "Bench") -> None:
    corrupt_customer(applied)
    applied.log.set(SOURCE, b"12345678 no frame")
    done = rebuild(applied)
    [unreadable] = done.unreadable
    assert (unreadable.document, unreadable.id) == ("sources", "card_B")
    _, answer, _ = decode_customer(stored_values(applied.log)[CUSTOMER])
    assert answer.default == "card_B"


def test_every_key_is_found_and_says_whose_it_is(applied: "Bench") -> None:
    assert set(applied.projection.keys(SOURCE_KEYS)) == {
        source_key(TEST, "card_A"),
        source_key(TEST, "card_B"),
    }
    live = Namespace("acct_1", "live")
    assert subject_of(source_key(live, "odd:{id}")) == (live, "odd:{id}")
