"""Events found again: by what they are about, where they stand, and when they came."""

import time
from typing import TYPE_CHECKING

import pytest

from tests.workers.notation import added, card, created, event, removed
from workers.operators import dead_letters, reading
from workers.operators.search import Wanted, search

if TYPE_CHECKING:
    from tests.workers.operators.bench import Bench


def ids(bench: "Bench", *, oldest_first: bool = True, **wanted: object) -> list[str]:
    found = search(bench.log, Wanted(**wanted), oldest_first=oldest_first)  # type: ignore[arg-type]
    return [one.event for one in found]


def poison(number: int) -> bytes:
    return event("customer.source.created", {"object": "card"}, 5, event_id=f"evt_poison{number}")


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PIECE", 3)


@pytest.fixture
def everything(bench: "Bench") -> list[str]:
    other = card("Z", customer="cus_2")
    bench.accept(
        created("A", 1),
        added("A", 1),
        event("customer.source.created", other, 2, request="req_other"),
        *[poison(n) for n in range(3)],
        removed("A", 3),
    )
    return bench.event_ids()


def test_everything_is_found_in_either_order(bench: "Bench", everything: list[str]) -> None:
    assert ids(bench) == everything
    assert ids(bench, oldest_first=False) == everything[::-1]


def test_events_are_found_by_what_they_are_about(bench: "Bench", everything: list[str]) -> None:
    assert ids(bench, type="customer.source.deleted") == everything[-1:]
    assert len(ids(bench, type="customer.source.*")) == 6
    assert ids(bench, type="source.created") == []
    assert ids(bench, customer="cus_2") == [everything[2]]
    assert ids(bench, object="card_A") == [everything[1], everything[6]]
    assert ids(bench, request="req_other") == [everything[2]]
    assert ids(bench, request="req_other", customer="cus_1") == []
    assert ids(bench, request="req_unknown") == []


def test_events_are_found_by_where_they_stand(bench: "Bench", everything: list[str]) -> None:
    assert ids(bench, state="pending") == everything
    bench.drain()
    assert ids(bench, state="retrying") == everything[3:6]
    for n in range(2):
        bench.try_again(f"evt_poison{n}")
    [one] = dead_letters.named(bench.log, ["evt_poison0"])
    dead_letters.discard(bench.log, one)
    late = created("B", 9)
    bench.accept(late)
    newest = bench.event_ids()[-1]
    assert ids(bench, state="discarded") == ["evt_poison0"]
    assert ids(bench, state="failed") == ["evt_poison1"]
    assert ids(bench, state="retrying") == ["evt_poison2"]
    assert ids(bench, state="pending") == [newest]
    assert ids(bench, state="applied") == [*everything[:3], everything[6]]
    assert (
        ids(bench, state="applied", oldest_first=False, type="customer.created") == everything[:1]
    )


def test_events_are_found_by_when_they_came(bench: "Bench", everything: list[str]) -> None:
    time.sleep(0.01)
    between = time.time()
    time.sleep(0.01)
    bench.accept(created("B", 9))
    bench.drain()
    newest = bench.event_ids()[-1]
    assert ids(bench, since=between) == [newest]
    assert ids(bench, until=between) == everything
    assert ids(bench, until=between, oldest_first=False) == everything[::-1]
    assert ids(bench, since=between, state="retrying") == []
    assert ids(bench, until=between, state="retrying") == everything[3:6]
    assert ids(bench, since=between, state="pending") == []
    assert ids(bench, since=time.time() + 60) == []
    assert ids(bench, until=-5) == []


@pytest.mark.parametrize("oldest_first", [True, False])
@pytest.mark.parametrize("state", [None, "pending"])
def test_a_search_goes_on_after_any_entry(
    bench: "Bench", everything: list[str], *, oldest_first: bool, state: str | None
) -> None:
    wanted = Wanted(state=state)
    whole = list(search(bench.log, wanted, oldest_first=oldest_first))
    assert len(whole) == len(everything)
    for n, one in enumerate(whole):
        rest = search(bench.log, wanted, oldest_first=oldest_first, after=one.entry)
        assert list(rest) == whole[n + 1 :]


def test_an_empty_log_holds_nothing(bench: "Bench") -> None:
    for state in (None, "pending", "failed"):
        assert ids(bench, state=state) == []
