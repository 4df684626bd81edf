"""Events that an operator vouches for come into the log as from a webhook, and only once."""

import threading
from typing import TYPE_CHECKING

import pytest

from service import doorbell
from service.keys import LOG
from tests.workers.notation import added, created, event
from workers import admission
from workers.operators import vouching
from workers.operators.status import status

if TYPE_CHECKING:
    from tests.workers.operators.bench import Bench


def test_a_file_is_read_whatever_it_holds() -> None:
    held = vouching.read([created("A", 1), b"{}", b"no", event("invoice.paid", {"id": "in_1"}, 1)])
    assert [one.type for one, _ in held.events] == ["customer.created"]
    assert [(one.number, one.reason) for one in held.refused] == [(2, "bad_id"), (3, "not_json")]
    assert held.ignored == {"invoice.paid": 1}


def test_events_are_appended_rung_for_and_applied_and_the_second_time_left_alone(
    bench: "Bench", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "BATCH_EVENTS", 2)
    held = vouching.read([created("A", 1), added("A", 1), added("B", 3)])
    [*_, vouched] = vouching.append(bench.log, held.events)
    assert (vouched.accepted, vouched.duplicates) == (3, 0)
    assert doorbell.queue(bench.log).count == 1
    waiting = vouching.await_applied(bench.log, vouched.last)
    assert next(waiting) == 3
    worker = threading.Thread(target=bench.drain)
    worker.start()
    assert [*waiting][-1] == 0
    worker.join()
    assert status(bench.desk, sample_seconds=0).applied == 3
    [*_, again] = vouching.append(bench.log, held.events)
    assert (again.accepted, again.duplicates, bench.log.xlen(LOG)) == (0, 3, 3)


def test_what_comes_in_later_is_not_waited_for(bench: "Bench") -> None:
    [*_, vouched] = vouching.append(bench.log, vouching.read([created("A", 1)]).events)
    bench.drain()
    bench.accept(added("A", 1))
    assert list(vouching.await_applied(bench.log, vouched.last)) == [0]


def test_an_empty_file_appends_nothing(bench: "Bench") -> None:
    [vouched] = vouching.append(bench.log, [])
    assert (vouched.accepted, vouched.last) == (0, "")
    assert list(vouching.await_applied(bench.log, vouched.last)) == [0]
