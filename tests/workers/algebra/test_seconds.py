"""How a second ended: what its snapshots say of each other, and what they leave open."""

import json
from itertools import permutations
from typing import Any

import pytest

from workers.algebra import seconds
from workers.algebra.facts import FINAL, FIRST, UNOWNED, USUAL, Group, Record
from workers.algebra.seconds import Newest, newest


def record(  # noqa: PLR0913 - a record is made of many things
    shown: Any,
    previous: Any = None,
    *,
    phase: int = USUAL,
    status: int = 0,
    request: str = "",
    event: str = "evt_1",
    api_version: str = "",
    of: str = "customer.updated",
) -> Record:
    return Record(
        type=of,
        phase=phase,
        status=status,
        request=request,
        event=event,
        api_version=api_version,
        object=json.dumps(shown).encode(),
        previous=b"" if previous is None else json.dumps(previous).encode(),
    )


def second(*records: Record) -> dict[bytes, Record]:
    return {record.key: record for record in records}


def shown_by(found: Newest) -> Any:
    assert found.record
    return json.loads(found.record.object)


def arrow(before: object, after: object, **more: Any) -> Record:
    return record({"a": after}, {"a": before}, **more)


def test_nothing_known_is_nothing_served() -> None:
    found = newest({})
    assert (found.record, found.decided, found.second) == (None, True, -1)


def test_one_snapshot_is_taken_as_it_is_even_if_it_is_no_object() -> None:
    assert shown_by(newest({5: second(record([1]))})) == [1]


def test_the_greatest_second_speaks() -> None:
    found = newest({5: second(record({"a": 1})), 7: second(record({"a": 2}))})
    assert (shown_by(found), found.second, found.decided) == ({"a": 2}, 7, True)


@pytest.mark.parametrize("order", list(permutations([(1, 2), (2, 3), (3, 4)])))
def test_arrows_are_followed_to_their_end(order: tuple[tuple[int, int], ...]) -> None:
    found = newest({5: second(*(arrow(b, a) for b, a in order))})
    assert (shown_by(found), found.decided) == ({"a": 4}, True)


def test_a_walk_that_closes_ends_where_the_second_before_ended() -> None:
    walk = second(arrow(1, 2), arrow(2, 1))
    found = newest({1: second(record({"a": 2})), 5: walk})
    assert (shown_by(found), found.decided) == ({"a": 2}, True)
    found = newest({1: second(record({"a": 1})), 5: walk})
    assert (shown_by(found), found.decided) == ({"a": 1}, True)


@pytest.mark.parametrize("before", [None, 3])
def test_a_walk_that_closes_from_an_unknown_start_is_undecided(before: int | None) -> None:
    group: Group = {5: second(arrow(1, 2), arrow(2, 1))}
    if before:
        group[1] = second(record({"a": before}))
    found = newest(group)
    assert not found.decided
    assert {json.dumps(s.object) for s in found.candidates} == {'{"a": 1}', '{"a": 2}'}


def test_a_walk_of_what_changes_silently_may_have_begun_anywhere() -> None:
    group = {1: second(record({"a": 1})), 5: second(arrow(1, 2), arrow(2, 1))}
    found = newest(group, silent=True)
    assert not found.decided
    assert shown_by(found) == {"a": 1}, "the known start serves to pick"


def test_a_creation_tells_where_its_second_began() -> None:
    first = record({"a": 1}, phase=FIRST, of="customer.created")
    found = newest({5: second(first, arrow(1, 2), arrow(2, 1))})
    assert (shown_by(found), found.decided) == ({"a": 1}, True)


def test_one_change_told_twice_is_one_arrow() -> None:
    told = [arrow(1, 2, request="req_1", of=of) for of in ("customer.updated", "other.updated")]
    found = newest({5: second(*told, arrow(2, 1, request="req_2"), arrow(1, 3, request="req_3"))})
    assert (shown_by(found), found.decided) == ({"a": 3}, True)
    # Told by type too, these would be two arrows against one, and end at 2.
    group = {1: second(record({"a": 1})), 5: second(*told, arrow(2, 1, request="req_2"))}
    assert (shown_by(newest(group)), newest(group).decided) == ({"a": 1}, True)


def test_a_change_told_again_in_the_second_after_counts_where_it_was_told_first() -> None:
    told = arrow(1, 2, request="req_1")
    group = {
        5: second(record({"a": 1}, phase=FIRST), told),
        6: second(arrow(1, 2, request="req_1", event="evt_2"), arrow(2, 1, request="req_2")),
    }
    assert (shown_by(newest(group)), newest(group).decided) == ({"a": 1}, True)


def test_a_change_told_again_in_the_other_view_counts_where_it_was_told_first() -> None:
    told = record({"a": 2, "b": 0}, {"a": 1}, request="req_1", of="customer.source.updated")
    again = record({"a": 2}, {"a": 1}, request="req_1", of="payment_method.updated")
    group = {5: second(told), 6: second(again, arrow(2, 1, request="req_2"))}
    assert (shown_by(newest(group)), newest(group).decided) == ({"a": 1}, True)


def test_nothing_new_in_the_second_after_leaves_the_second_before() -> None:
    told = record({"a": 2}, request="req_1")
    found = newest({5: second(arrow(2, 3), told), 6: second(told)})
    assert (shown_by(found), found.second) == ({"a": 3}, 5)


def test_without_a_request_equal_changes_of_two_seconds_are_two() -> None:
    group = {5: second(arrow(1, 2), arrow(2, 1)), 6: second(arrow(1, 2))}
    assert (shown_by(newest(group)), newest(group).decided) == ({"a": 2}, True)


def test_a_missing_piece_leaves_every_end_open() -> None:
    found = newest({5: second(arrow(1, 2), arrow(3, 4))})
    assert not found.decided
    assert {s.record.object for s in found.candidates} == {b'{"a": 2}', b'{"a": 4}'}


def test_a_start_that_the_walk_does_not_leave_is_an_end_too_when_a_record_shows_it() -> None:
    start = record({"a": 1}, phase=FIRST)
    found = newest({5: second(start, arrow(3, 4))})
    assert not found.decided
    assert shown_by(found) == {"a": 1}


def test_a_start_that_no_record_shows_leaves_the_one_end_decided() -> None:
    found = newest({1: second(record({"a": 9})), 5: second(arrow(3, 4), record({"a": 4}))})
    assert (shown_by(found), found.decided) == ({"a": 4}, True)


def test_something_that_nobody_told_of_is_undecided() -> None:
    found = newest({5: second(arrow(1, 2), record({"a": 7}))})
    assert not found.decided
    assert len(found.candidates) == 2


def test_what_changed_silently_beside_the_walk_does_not_matter() -> None:
    one = record({"a": 2, "b": 1}, {"a": 1})
    other = record({"a": 2, "b": 2, "c": 5}, {"c": 4})
    begin = record({"a": 2, "c": 4})
    found = newest({5: second(one, other, begin)})
    assert not found.decided, "two records say what came before c changed"
    found = newest({5: second(record({"a": 2, "b": 1, "c": 4}, {"a": 1}), other)})
    assert (shown_by(found)["b"], found.decided) == (2, True)


def test_nested_values_are_followed_by_their_leaves() -> None:
    one = record({"m": {"k": "1", "l": "x"}}, {"m": {"k": None}})
    other = record({"m": {"k": "2", "l": "x"}}, {"m": {"k": "1"}})
    assert shown_by(newest({5: second(one, other)})) == {"m": {"k": "2", "l": "x"}}
    from_null = record({"m": {"k": "1"}}, {"m": None})
    after = record({"m": {"k": "2"}}, {"m": {"k": "1"}})
    assert shown_by(newest({5: second(from_null, after)})) == {"m": {"k": "2"}}


def test_a_path_through_something_that_is_no_object_is_null() -> None:
    one = record({"m": {"k": "1"}}, {"m": {"k": None}})
    other = record({"m": "text"}, {"m": {"k": "1"}})
    assert not newest({5: second(one, other)}).decided, "it went from null to null again"


def test_an_empty_previous_says_nothing() -> None:
    found = newest({5: second(record({"a": 1}, {}), record({"a": 2}, {}))})
    assert not found.decided


def test_what_is_final_stands_alone_and_its_previous_is_ignored() -> None:
    final = record({"a": 9}, {"a": 2}, phase=FINAL)
    found = newest({5: second(final, arrow(1, 2), arrow(9, 10))})
    assert (shown_by(found), found.decided) == ({"a": 9}, True)


def test_the_greatest_phase_and_status_speak_where_nothing_is_told_of_the_order() -> None:
    loose = record({"a": 1}, phase=UNOWNED, status=1)
    attached = record({"a": 2}, phase=FIRST, status=0)
    assert shown_by(newest({5: second(loose, attached)})) == {"a": 2}
    pending = record({"a": 3}, phase=FIRST, status=1)
    assert shown_by(newest({5: second(pending, attached)})) == {"a": 3}


def test_after_an_arrow_speaks_what_tells_no_previous() -> None:
    told = record({"a": 2, "m": 1}, {"a": 1})
    silent = record({"a": 2, "m": 2})
    found = newest({5: second(told, silent)})
    assert (shown_by(found)["m"], found.decided) == (2, True)


def test_of_two_renderings_of_one_event_the_newer_api_version_speaks() -> None:
    old = record({"a": 1, "legacy": True}, api_version="2019-12-03")
    new = record({"a": 1}, api_version="2020-08-27")
    found = newest({5: second(old, new)})
    assert (shown_by(found), found.decided) == ({"a": 1}, True)


def test_two_different_bodies_without_previous_are_undecided() -> None:
    found = newest({5: second(record({"a": 1}), record({"a": 2}))})
    assert not found.decided
    assert shown_by(found) == {"a": 1}, "the first by its text"


def test_absent_null_and_empty_are_the_same_body_and_the_least_event_tells_it() -> None:
    told = [
        record({"a": 1, "b": None, "c": {}}, event="evt_2"),
        record({"a": 1}, event="evt_1"),
        record({"a": 1, "b": None}, event="evt_3"),
    ]
    for order in permutations(told):
        found = newest({5: second(*order)})
        assert found.decided
        assert found.record == told[1]


def test_bodies_that_are_no_objects_are_compared_as_they_are() -> None:
    found = newest({5: second(record([1]), record([2]))})
    assert (shown_by(found), found.decided) == ([1], False)


def test_numbers_are_compared_as_stripe_wrote_them() -> None:
    big = 2**70
    found = newest({5: second(arrow(big, big + 1), arrow(big + 1, big + 2))})
    assert shown_by(found) == {"a": big + 2}


def test_a_full_second_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seconds, "KEPT_RECORDS", 2)
    assert not newest({5: second(arrow(1, 2), arrow(2, 3))}).decided
    assert newest({5: second(arrow(1, 2))}).decided


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ({"a": None}, {"a": 1}),
        ({}, {"a": 1}),
        ({"a": {"b": None, "c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": [{"b": None}, 2]}, {"a": [{"b": 1}, 2]}),
    ],
)
def test_what_one_event_tells_in_full_outranks_what_it_tells_in_part(part: Any, whole: Any) -> None:
    for order in permutations([record(part, {"x": None}), record(whole, {"x": 1})]):
        found = newest({5: second(*order)})
        assert (shown_by(found), found.decided) == (whole, True)


def test_what_each_of_two_tellings_lacks_of_the_other_is_not_decided() -> None:
    one, two = record({"a": 1, "b": None}), record({"a": None, "b": 2})
    assert not newest({5: second(one, two)}).decided
    assert not newest({5: second(record({"a": [1]}), record({"a": [1, 2]}))}).decided
    other = record({"a": 1, "b": 2}, event="evt_2")
    assert not newest({5: second(one, other)}).decided


def test_tellings_that_are_each_a_part_of_the_other_are_the_same() -> None:
    assert newest({5: second(record({"a": 1}), record({"a": 1, "b": None}))}).decided
