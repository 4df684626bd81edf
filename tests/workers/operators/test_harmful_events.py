"""Events that harm whoever handles them: each is told from the others, which do not wait for it."""

import json
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from service.keys import FAILED, LOG, METERS, RETRIES
from service.log import event_log, retention
from service.watch.meters import STRIPE
from tests.workers.notation import CUSTOMER, created, event
from tests.workers.operators.bench import Bench, Handlers
from workers import deriving, draining, halting, lines, maintenance, retries, rounds
from workers.algebra.derive import derive_customer
from workers.algebra.facts import CustomerFacts, Facts, SourceFacts
from workers.operators import dead_letters
from workers.operators.search import Wanted, search
from workers.operators.status import status

if TYPE_CHECKING:
    from service.documents import CustomerAnswer
    from service.event import Event
    from service.keys import Namespace

HARMFUL = "evt_harmful"


def hang(_event: "Event") -> Facts:
    while True:
        time.sleep(1)


def nonsense(_event: "Event") -> Any:
    return ["nonsense"]


def nothing(_event: "Event") -> Any:
    return None


def facts_that_do_not_merge(_event: "Event") -> Any:
    return Facts(sources={"card_A": SourceFacts(owners=None)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (hang, "timeout"),
        (nonsense, "NoFactsError"),
        (nothing, "NoFactsError"),
        (facts_that_do_not_merge, "TypeError"),
    ],
)
def test_an_event_whose_handler_hangs_or_talks_nonsense_fails_alone(
    bench: Bench, handlers: Handlers, monkeypatch: pytest.MonkeyPatch, harm: Any, reason: str
) -> None:
    def facts_of(told: "Event") -> Any:
        return harm(told) if told.id == HARMFUL else handlers.sound(told)

    monkeypatch.setattr(rounds, "facts_of", facts_of)
    monkeypatch.setattr(rounds, "HANDLING_SECONDS", 0.05)
    good = [created("A", n) for n in range(4)]
    bench.accept(*good[:2], event("customer.updated", {}, 5, event_id=HARMFUL), *good[2:])
    assert bench.drain()["failed"] == 1
    [history] = [json.loads(one) for one in bench.log.hvals(RETRIES)]
    assert (history["event"], history["attempts"][-1]["reason"]) == (HARMFUL, reason)
    now = status(bench.desk, sample_seconds=0)
    assert (now.applied, now.retrying, now.pending) == (4, 1, 0)


def test_a_document_that_hangs_fails_the_events_that_touch_it_and_no_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def derive(namespace: "Namespace", customer: str, facts: CustomerFacts) -> "CustomerAnswer":
        while customer == CUSTOMER:
            time.sleep(1)
        return derive_customer(namespace, customer, facts)

    monkeypatch.setattr(deriving, "derive_customer", derive)
    monkeypatch.setattr(deriving, "DERIVING_SECONDS", 0.05)
    others = [
        event("customer.created", {"id": customer, "object": "customer"}, 1)
        for customer in ("cus_before", "cus_behind")
    ]
    bench.accept(others[0], created(None, 1), others[1])
    outcomes = bench.drain()
    assert (outcomes["applied"], outcomes["failed"]) == (2, 1)


def test_what_a_worker_may_have_died_of_is_tried_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "STUCK_MILLISECONDS", 0)
    bench.accept(*[created("A", n) for n in range(3)])
    line = lines.pending(bench.log, halting.StopRule())
    dead = draining._claim(line, draining.ROUND_EVENTS)
    bench.accept(created("A", 3))
    alone = draining._claim(line, draining.ROUND_EVENTS)
    assert (len(dead.entries), dead.all_there_is) == (3, True)
    assert (len(alone.entries), alone.all_there_is) == (1, False)


def test_what_is_handed_back_in_mid_round_may_be_taken_at_once(bench: Bench) -> None:
    bench.accept(created("A", 1))
    [entry] = event_log.claim_new(bench.log, "worker", 1)
    event_log.put_back(bench.log, "worker", [entry.entry_id], idle_ms=60_000)
    assert event_log.claim_stuck(bench.log, "worker", 60_000, 10) == [(entry, 1)]


def test_an_event_that_has_killed_every_worker_that_tried_it_is_a_dead_letter(bench: Bench) -> None:
    bench.accept(created("A", 1))
    [entry] = event_log.claim_new(bench.log, "worker", 1)
    for _ in range(retries.MOST_ATTEMPTS):
        assert bench.log.zcard(FAILED) == 0
        begun = retries.begun(bench.log, entry.entry_id, entry.id)
        retries.write(bench.log, entry.entry_id, overdue(begun))
        maintenance.enqueue_lost_retries(bench.log)
    assert bench.log.zscore(FAILED, entry.entry_id) is not None


def test_an_attempt_due_later_than_any_pause_is_overdue_for_the_clock_was_set_back(
    bench: Bench,
) -> None:
    bench.accept(created("A", 1), created("A", 2))
    soon, never = event_log.claim_new(bench.log, "worker", 2)
    for entry, seconds in ((soon, 60), (never, 3600)):
        begun = retries.begun(bench.log, entry.entry_id, entry.id)
        begun = msgspec.structs.replace(begun, due=time.time() + seconds)
        retries.write(bench.log, entry.entry_id, begun)
    assert [entry_id for entry_id, _ in retries.overdue(bench.log)] == [never.entry_id]


def test_dead_letters_are_not_read_again_and_again(bench: Bench) -> None:
    bench.accept(created("A", 1), created("A", 2))
    dead, dying = event_log.claim_new(bench.log, "worker", 2)
    for entry in (dead, dying):
        begun = overdue(retries.begun(bench.log, entry.entry_id, entry.id))
        retries.write(bench.log, entry.entry_id, retries.failed(begun, "odd", final=entry == dead))
    bench.log.config_resetstat()
    assert not retries.overdue(bench.log)
    retries.write(bench.log, dying.entry_id, retries.failed(begun, "odd", final=True))
    assert bench.log.info("commandstats")["cmdstat_hscan"]["calls"] == 1
    assert not retries.overdue(bench.log)
    assert bench.log.info("commandstats")["cmdstat_hscan"]["calls"] == 1


def overdue(retry: retries.Retry) -> retries.Retry:
    late = retries.OVERDUE_SECONDS + 1
    return msgspec.structs.replace(retry, due=time.time() - late)


def test_a_meter_that_is_full_holds_up_no_event(bench: Bench) -> None:
    bench.log.hset(METERS, STRIPE.sum_field, 2**63 - 1)
    bench.accept(created("A", 1))
    assert bench.drain()["applied"] == 1
    assert status(bench.desk, sample_seconds=0).pending == 0


@pytest.mark.parametrize(
    "foreign",
    [{"x": "y"}, {"id": b"\xff", "type": b"\xff", "body": "{}"}, {"id": "a b", "mode": "live"}],
)
def test_what_somebody_else_wrote_into_the_log_is_a_dead_letter_and_holds_up_nothing(
    bench: Bench, foreign: dict[Any, Any]
) -> None:
    bench.accept(created("A", 1))
    entry_id: Any = bench.log.xadd(LOG, foreign)
    bench.accept(created("B", 2))
    assert bench.drain() == {"applied": 2, "failed": 1}
    assert bench.log.zrange(FAILED, 0, -1) == [entry_id]
    assert status(bench.desk, sample_seconds=0).failed == 1
    assert len(list(search(bench.log, Wanted()))) == 3
    [letter] = dead_letters.dead_letters(bench.log)
    assert dead_letters.retry(bench.log, dead_letters.treated(letter)).verdict == "not_failed"
    assert dead_letters.discard(bench.log, dead_letters.treated(letter)).verdict == "discarded"
    assert retention.trim(bench.log, 0).removed == 3
