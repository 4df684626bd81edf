"""Which sources are attached, and which came last: what is sure, what is likely, what is open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.documents import SourceAnswer
from workers.algebra.facts import NEVER, CustomerFacts, Link, Times
from workers.algebra.order import Attachments

ANSWER = SourceAnswer(
    body=b"{}", kind="card", owner="cus_1", gone=False, second=1, event="evt_1", decided=True
)


def attachments(*lists: tuple[str, ...], at: int = 0, **times: Times) -> Attachments:
    return Attachments(
        CustomerFacts(
            lists={at: set(lists)} if lists else {},
            links={f"card_{letter}": Link(t, 1, ANSWER) for letter, t in times.items()},
        )
    )


def order_of(known: Attachments) -> tuple[str, bool]:
    order = known.newest_first(known.alive())
    return "".join(source[-1] for source in order.sources), order.decided


def test_the_last_added_is_the_first_listed() -> None:
    known = attachments(A=Times(added=1), B=Times(added=3), C=Times(added=2))
    assert order_of(known) == ("BCA", True)


def test_of_two_of_one_second_the_one_that_came_first_is_older() -> None:
    known = attachments(A=Times(added=1, first=1), B=Times(added=1))
    assert order_of(known) == ("BA", True)


def test_so_it_is_beside_one_of_which_no_moment_is_known() -> None:
    known = attachments(A=Times(seen=1), B=Times(added=2, first=2), C=Times(added=2))
    assert order_of(known) == ("CBA", True)


def test_of_two_of_one_second_the_greater_id_is_likelier_the_newer() -> None:
    assert order_of(attachments(A=Times(added=1), B=Times(added=1))) == ("BA", False)


def test_an_id_is_compared_after_its_prefix() -> None:
    answer = {"src_A": Times(added=1), "ba_B": Times(added=1)}
    links = {source: Link(times, 1, ANSWER) for source, times in answer.items()}
    known = Attachments(CustomerFacts(links=links))
    assert known.newest_first(known.alive()).sources == ["ba_B", "src_A"]


def test_one_only_seen_was_added_at_the_latest_then() -> None:
    assert order_of(attachments(A=Times(seen=2), B=Times(added=3))) == ("BA", True)
    assert order_of(attachments(A=Times(seen=3), B=Times(added=3))) == ("BA", False)
    assert order_of(attachments(A=Times(seen=9), B=Times(added=3))) == ("AB", False)
    assert order_of(attachments(A=Times(seen=9), B=Times(seen=3))) == ("AB", False)


def test_a_whole_list_shows_the_order() -> None:
    times = Times(added=1)
    assert order_of(attachments(("card_A", "card_B"), at=5, A=times, B=times)) == ("AB", True)


def test_what_a_list_does_not_show_and_lives_came_after_it() -> None:
    known = attachments(("card_A",), at=5, A=Times(seen=5), B=Times(seen=6))
    assert order_of(known) == ("BA", True)


def test_what_a_later_list_lacks_has_gone() -> None:
    known = attachments(("card_A",), at=5, A=Times(added=1), B=Times(added=2), C=Times(added=5))
    assert known.gone["card_B"] == 5
    assert order_of(known) == ("CA", True)
    assert known.alive(by=4) == ["card_A", "card_B", "card_C"]


def test_what_had_gone_before_a_list_that_lacks_it_went_then() -> None:
    known = attachments((), at=5, A=Times(added=1, gone=3), B=Times(added=1, gone=9))
    assert known.gone == {"card_A": 3, "card_B": 5}


def test_two_lists_of_one_second_show_what_came_in_it() -> None:
    known = attachments(("card_A",), ("card_B", "card_A"), at=5, A=Times(seen=5), B=Times(seen=5))
    assert order_of(known) == ("BA", True)


def test_lists_that_contradict_each_other_leave_all_open() -> None:
    known = attachments(
        ("card_A", "card_B"), ("card_B", "card_A"), at=5, A=Times(seen=5), B=Times(seen=5)
    )
    assert order_of(known) == ("BA", False)
    assert sorted(known.surely_newest(known.alive())) == ["card_A", "card_B"]


@pytest.mark.parametrize("listed", [False, True])
def test_the_surely_newest_are_those_that_none_is_newer_than(listed: bool) -> None:  # noqa: FBT001 - a parameter
    lists = [()] if listed else []
    known = attachments(*lists, at=0, A=Times(added=1), B=Times(added=3), C=Times(added=3))
    assert sorted(known.surely_newest(["card_A", "card_B", "card_C"])) == ["card_B", "card_C"]
    assert known.surely_newest([]) == []


_NAMES = [f"card_{n}" for n in range(6)]
_SECOND = st.integers(0, 3)
_MAYBE = st.one_of(st.just(NEVER), _SECOND)
_TIMES = st.builds(
    lambda added, seen, first: Times(added, seen, added if first else NEVER),
    _MAYBE,
    _SECOND,
    st.booleans(),
)


@given(
    sources=st.dictionaries(st.sampled_from(_NAMES), _TIMES),
    lists=st.lists(st.permutations(_NAMES).map(lambda p: tuple(p[:3])), max_size=2),
    at=_SECOND,
)
def test_the_quick_order_is_the_one_that_compares_each_with_each(
    sources: dict[str, Times], lists: list[tuple[str, ...]], at: int
) -> None:
    links = {source: Link(times, 1, ANSWER) for source, times in sources.items()}
    known = Attachments(CustomerFacts(links=links, lists={at: set(lists)} if lists else {}))
    alive = known.alive()
    rest = sorted(alive, key=known._likely_age, reverse=True)
    assert known.newest_first(alive) == known._one_by_one(rest)
    first = [i for i in rest if not known._newer_than(i, rest)] or rest
    assert known.surely_newest(alive) == first
