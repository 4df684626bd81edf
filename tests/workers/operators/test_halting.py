"""The stop rule: a bad release leaves the events pending; a mended one goes on with them."""

import time
from typing import TYPE_CHECKING

import msgspec
import pytest
import redis

from service.keys import HALT, RETRIES
from tests.workers.notation import added, created, event
from workers import draining, halting, jobs
from workers.operators.doctor import examine
from workers.operators.status import status

if TYPE_CHECKING:
    from tests.workers.operators.bench import Bench, Handlers


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halting, "PAUSES_SECONDS", (0.2, 0.4))
    monkeypatch.setattr(halting, "NAP_SECONDS", 0.01)
    monkeypatch.setattr(draining, "STUCK_MILLISECONDS", 50)


def halt_of(bench: "Bench") -> halting.Halt:
    halt = halting.current(bench.log)
    assert halt is not None
    return halt


def wait_out(bench: "Bench") -> None:
    """Wait until the pause is over."""
    while time.time() < halt_of(bench).until:
        time.sleep(0.01)


def poison(n: int) -> bytes:
    return event("customer.source.created", {"object": "card"}, 5, event_id=f"evt_poison{n}")


def test_when_nearly_all_fail_they_stay_pending_and_status_and_doctor_say_so(
    bench: "Bench", handlers: "Handlers"
) -> None:
    handlers.broken = True
    bench.accept(*[created("A", n) for n in range(100)])
    assert bench.drain()["halted"] == 100
    now = status(bench.desk, sample_seconds=0)
    assert (now.pending, now.retrying, now.failed) == (100, 0, 0)
    assert now.halted is not None
    assert (now.halted.reason, now.halted.failed, now.halted.tried) == ("RuntimeError", 100, 100)
    [finding] = [one for one in examine(bench.desk) if one.check == "halted"]
    assert finding.level == "trouble"
    assert "100 of the last 100 failed with RuntimeError" in finding.says
    assert bench.log.hlen(RETRIES) == 0


def test_nothing_is_tried_during_the_pause_and_pauses_grow_while_it_stays_bad(
    bench: "Bench", handlers: "Handlers"
) -> None:
    handlers.broken = True
    bench.accept(*[created("A", n) for n in range(30)])
    bench.drain()
    first = halt_of(bench)
    assert bench.drain() == {"halted": 0}
    assert halt_of(bench) == first
    wait_out(bench)
    assert bench.drain()["halted"] == halting.PROBE_EVENTS // 2
    second = halt_of(bench)
    assert (second.pauses, second.since) == (2, first.since)
    assert second.until - time.time() > 0.3


def test_it_goes_on_by_itself_once_the_handlers_are_mended(
    bench: "Bench", handlers: "Handlers"
) -> None:
    handlers.broken = True
    bench.accept(*[created("A", n) for n in range(60)])
    bench.drain()
    handlers.broken = False
    wait_out(bench)
    bench.drain()
    assert halting.current(bench.log) is None
    assert status(bench.desk, sample_seconds=0).applied == 60


def test_a_worker_that_starts_ends_the_pause_for_it_may_be_the_mended_release(
    bench: "Bench", handlers: "Handlers", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halting, "PAUSES_SECONDS", (3600,))
    handlers.broken = True
    bench.accept(*[created("A", n) for n in range(30)])
    bench.drain()
    handlers.broken = False
    jobs.open_stores(bench.desk.settings)
    time.sleep(0.06)  # until what was put back may be claimed
    bench.drain()
    assert halting.current(bench.log) is None
    assert status(bench.desk, sample_seconds=0).pending == 0
    jobs.open_stores(bench.desk.settings)
    assert bench.log.get(HALT) is None


def test_a_pause_longer_than_any_is_over_for_the_clock_was_set_back(
    bench: "Bench", handlers: "Handlers"
) -> None:
    handlers.broken = True
    bench.accept(*[created("A", n) for n in range(30)])
    bench.drain()
    handlers.broken = False
    later = msgspec.structs.replace(halt_of(bench), until=time.time() + 3600)
    bench.log.set(HALT, msgspec.json.encode(later))
    time.sleep(0.06)  # until what was put back may be claimed
    bench.drain()
    assert halting.current(bench.log) is None


def test_a_few_failures_are_the_events_own_however_many_they_are_of(
    bench: "Bench", handlers: "Handlers"
) -> None:
    handlers.broken = True
    bench.accept(*[created("A", n) for n in range(halting.LEAST_EVENTS - 1)])
    outcomes = bench.drain()
    assert (outcomes["failed"], "halted" in outcomes) == (19, False)
    bench.accept(created("A", 99))
    assert bench.drain()["halted"] == 1, "the twentieth, judged together with those before"
    assert (halt_of(bench).failed, halt_of(bench).tried) == (20, 20)


def test_events_that_can_never_be_applied_do_not_count(bench: "Bench") -> None:
    bench.accept(*[poison(n) for n in range(100)])
    assert bench.drain()["failed"] == 100
    assert halting.current(bench.log) is None


def test_what_can_never_be_applied_is_set_aside_also_when_a_halt_is_called(
    bench: "Bench", handlers: "Handlers"
) -> None:
    bench.accept(*[poison(n) for n in range(10)])
    bench.drain()
    handlers.broken = True
    bench.accept(*[created("A", n) for n in range(40)])
    assert bench.drain()["halted"] == 40
    now = status(bench.desk, sample_seconds=0)
    assert (now.pending, now.retrying) == (40, 10)


def test_new_events_that_go_well_end_a_halt_that_old_ones_caused(
    bench: "Bench", handlers: "Handlers"
) -> None:
    handlers.broken = True
    bench.accept(*[created("A", n) for n in range(40)])
    bench.drain()
    wait_out(bench)
    sound, bad = handlers.sound, set(range(40))

    def half_mended(told: object) -> object:
        if getattr(told, "created", None) in bad:
            raise RuntimeError
        return sound(told)  # type: ignore[arg-type]

    handlers.broken = False
    handlers.sound = half_mended  # type: ignore[assignment]
    bench.accept(*[added("B", 1000 + n) for n in range(50)])
    outcomes = bench.drain()
    assert outcomes["applied"] > 0
    assert status(bench.desk, sample_seconds=0).applied == 50


def test_during_a_halt_an_event_of_its_own_job_does_not_become_a_dead_letter(
    bench: "Bench", handlers: "Handlers"
) -> None:
    bench.accept(created("A", 1))
    handlers.broken = True
    bench.drain()
    [event_id] = bench.event_ids()
    bench.log.set(HALT, b'{"since":1,"until":1,"pauses":1,"reason":"x","failed":1,"tried":1}')
    for _ in range(10):
        bench.try_again(event_id)
    assert status(bench.desk, sample_seconds=0).failed == 0
    bench.log.delete(HALT)
    bench.try_again(event_id)
    assert status(bench.desk, sample_seconds=0).failed == 1


def test_a_halt_is_obeyed_where_the_projection_is_away(
    bench: "Bench", handlers: "Handlers", monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers.broken = True
    bench.accept(*[created("A", n) for n in range(30)])
    bench.drain()
    handlers.broken = False
    wait_out(bench)

    def away(*_: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr("workers.rounds.apply", away)
    assert bench.drain()["stalled"] == halting.PROBE_EVENTS // 2
    assert halting.current(bench.log) is not None
