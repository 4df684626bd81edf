"""How facts stand to what a document knew, and what decides between several of one second."""

import json
from typing import Any

import pytest

from workers.algebra.derive import derive_source
from workers.algebra.facts import FINAL, FIRST, USUAL, Record, SourceFacts
from workers.algebra.merge import merge_sources
from workers.standings import standing, tie


def told(second: int, shown: str, phase: int = USUAL, **previous: Any) -> SourceFacts:
    """Return what one event tells of a card at this second."""
    record = Record(
        type="customer.source.updated",
        phase=phase,
        status=0,
        request=f"req_{second}{shown}{phase}",
        event=f"evt_{second}{shown}",
        api_version="2020-08-27",
        object=json.dumps({"id": "card_1", "object": "card", "last4": shown}).encode(),
        previous=json.dumps(previous).encode() if previous else b"",
    )
    return SourceFacts(snapshots={second: {record.key: record}}, owners={"cus_1"})


KNOWN = merge_sources(told(10, "1"), told(20, "2"))


@pytest.mark.parametrize(
    ("news", "stands"),
    [
        (told(30, "3"), "new"),
        (told(20, "3"), "new"),
        (told(15, "3"), "late"),
        (told(9, "3"), "stale"),
        (told(20, "2"), "repeated"),
        (SourceFacts(owners={"cus_1"}), None),
    ],
)
def test_facts_are_new_late_stale_or_repeated(news: SourceFacts, stands: str | None) -> None:
    assert standing(KNOWN, news) == stands


def test_the_first_that_is_ever_told_is_new_and_an_older_one_late_while_there_is_room() -> None:
    assert standing(SourceFacts(), told(10, "1")) == "new"
    assert standing(told(10, "1"), told(5, "2")) == "late"


@pytest.mark.parametrize(
    ("first", "second", "decider"),
    [
        (told(5, "1", FIRST), told(5, "2", FINAL), "phase"),
        (told(5, "1", FIRST), told(5, "2", last4="1"), "phase"),
        (told(5, "2", last4="1"), told(5, "3", last4="2"), "previous"),
        (told(5, "1"), told(5, "2"), "nothing"),
        (told(4, "1"), told(5, "2"), None),
    ],
)
def test_what_decides_a_tie_is_told(
    first: SourceFacts, second: SourceFacts, decider: str | None
) -> None:
    merged = merge_sources(first, second)
    answer = derive_source(merged)
    assert tie(merged, second, answer) == tie(merged, merged, answer) == decider
    assert answer.decided == (decider != "nothing")


def test_a_tie_of_a_second_that_nothing_was_told_of_is_not_told_again() -> None:
    merged = merge_sources(told(5, "1"), told(5, "2"))
    assert tie(merged, told(4, "1"), derive_source(merged)) is None
