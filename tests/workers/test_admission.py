"""Admission: whoever appends waits for room, and is told when nobody makes any."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.workers.notation import created
from tests.workers.operators.bench import Bench, bench_on
from workers import admission
from workers.admission import StalledError

if TYPE_CHECKING:
    from tests.conftest import Store


@pytest.fixture
def bench(store: "Store", monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(admission, "ROOM_EVENTS", 0)
    monkeypatch.setattr(admission, "POLL_SECONDS", 0.001)
    with bench_on(store.url) as made:
        yield made


def test_where_nothing_is_applied_the_wait_for_room_ends_with_a_sentence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "STALLED_SECONDS", 0.01)
    bench.accept(created("A", 1))
    with pytest.raises(StalledError, match="start `onfile worker`"):
        list(admission.room(bench.log))
    bench.drain()
    assert list(admission.room(bench.log)) == []


def test_what_was_accepted_before_is_waited_for_and_nothing_else(bench: Bench) -> None:
    bench.accept(created("A", 1))
    waiting = admission.applied(bench.log)
    assert next(waiting) == 1
    bench.drain()
    bench.accept(created("A", 2))
    assert list(waiting) == []
