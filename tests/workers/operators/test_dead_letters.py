"""Dead letters: seen with their reasons, tried again with their history, given up for good."""

from typing import TYPE_CHECKING

import pytest

from service import doorbell
from service.keys import DISCARDED, FAILED, LOG, RETRIES
from service.log.retention import trim
from tests.workers.notation import created, event
from workers import draining
from workers.operators import dead_letters
from workers.operators.dead_letters import DeadLetter, Treated

if TYPE_CHECKING:
    from tests.workers.operators.bench import Bench, Handlers


def poison(number: int, fields: object = None) -> bytes:
    carried = {"object": "card"} if fields is None else fields
    return event("customer.source.created", carried, 5, event_id=f"evt_poison{number}")  # type: ignore[arg-type]


def letters(bench: "Bench", **options: object) -> list[DeadLetter]:
    return list(dead_letters.dead_letters(bench.log, **options))  # type: ignore[arg-type]


def named(bench: "Bench", *event_ids: str) -> list[Treated]:
    return list(dead_letters.named(bench.log, event_ids))


@pytest.fixture
def dead(bench: "Bench") -> "Bench":
    """Three dead letters of two kinds."""
    bench.accept(poison(0), poison(1, []), poison(2))
    bench.drain()
    bench.work()
    return bench


def test_dead_letters_are_listed_with_their_reason_the_last_one_first(dead: "Bench") -> None:
    listed = letters(dead)
    assert {one.event for one in listed} == {"evt_poison0", "evt_poison1", "evt_poison2"}
    assert [one.failed for one in listed] == sorted((one.failed for one in listed), reverse=True)
    assert letters(dead, oldest_first=True) == listed[::-1]
    [other] = letters(dead, reason="object_not_an_object")
    assert (other.event, other.attempts, other.type) == (
        "evt_poison1",
        2,
        "customer.source.created",
    )
    assert letters(dead, reason="timeout") == []


def test_a_dead_letter_shows_every_attempt_and_the_traceback(dead: "Bench") -> None:
    [story] = dead_letters.inspect(dead.desk, "evt_poison0")
    assert [one.reason for one in story.attempts] == ["object_without_id"] * 2
    assert "UnprojectableError: object_without_id" in story.traceback
    assert dead_letters.inspect(dead.desk, "evt_unknown") == []
    dead.log.delete("rq:job:evt_poison0")
    assert dead_letters.inspect(dead.desk, "evt_poison0")[0].traceback == ""


def test_a_traceback_shows_no_address_of_a_person(
    bench: "Bench", handlers: "Handlers", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.retries.MOST_ATTEMPTS", 1)
    handlers.broken = True
    bench.accept(created("A", 1))
    bench.drain()
    bench.work()
    [letter] = letters(bench)
    [story] = dead_letters.inspect(bench.desk, letter.event)
    assert "RuntimeError: this release is bad" in story.traceback
    assert "zoe" not in story.traceback


def test_an_event_is_given_up_with_the_last_retry_of_its_job(
    bench: "Bench", handlers: "Handlers"
) -> None:
    handlers.broken = True
    bench.accept(created("A", 1))
    bench.drain()
    [job] = doorbell.queue(bench.log).jobs
    for _ in range(1 + (job.retries_left or 0)):
        assert letters(bench) == []
        bench.try_again(job.id)
    assert len(letters(bench)) == 1


def test_a_retry_runs_the_event_again_and_keeps_its_history(dead: "Bench") -> None:
    [one] = named(dead, "evt_poison0")
    assert dead_letters.retry(dead.log, one).verdict == "retried"
    assert dead.log.zscore(doorbell.FAILED_JOBS_KEY, "evt_poison0") is None
    again = dead_letters.retry(dead.log, *named(dead, "evt_poison0"))
    assert (again.verdict, again.state) == ("not_failed", "retrying")
    dead.work()
    [story] = dead_letters.inspect(dead.desk, "evt_poison0")
    assert len(story.attempts) == 3
    assert dead.log.zscore(doorbell.FAILED_JOBS_KEY, "evt_poison0") is not None


def test_a_retry_after_the_handler_was_mended_applies_the_event(
    bench: "Bench", handlers: "Handlers", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.retries.MOST_ATTEMPTS", 1)
    handlers.broken = True
    bench.accept(created("A", 1))
    bench.drain()
    bench.work()
    [letter] = letters(bench)
    handlers.broken = False
    dead_letters.retry(bench.log, dead_letters.treated(letter))
    bench.work()
    assert letters(bench) == []
    assert [one.state for one in named(bench, letter.event)] == ["applied"]
    assert (bench.log.hlen(RETRIES), bench.log.zcard(FAILED)) == (0, 0)
    assert bench.log.zcard(doorbell.FAILED_JOBS_KEY) == 0


def test_a_discarded_event_stays_in_the_log_and_fails_no_more(dead: "Bench") -> None:
    [one] = named(dead, "evt_poison0")
    assert dead_letters.discard(dead.log, one).verdict == "discarded"
    assert dead_letters.discard(dead.log, *named(dead, "evt_poison0")).verdict == "not_failed"
    assert len(letters(dead)) == 2
    assert [one.state for one in named(dead, "evt_poison0")] == ["discarded"]
    assert dead.log.xlen(LOG) == 3
    assert not dead.log.exists("rq:job:evt_poison0")
    assert dead.log.zcard(doorbell.FAILED_JOBS_KEY) == 2
    dead.work()
    draining.drain(dead.log, dead.projection)
    assert [one.state for one in named(dead, "evt_poison0")] == ["discarded"]


def test_a_discarded_event_may_be_retried_after_all_with_its_history(dead: "Bench") -> None:
    dead_letters.discard(dead.log, *named(dead, "evt_poison0"))
    dead_letters.retry(dead.log, *named(dead, "evt_poison0"))
    dead.work()
    [story] = dead_letters.inspect(dead.desk, "evt_poison0")
    assert len(story.attempts) == 3


def test_a_discarded_event_leaves_with_its_retention_and_a_failed_one_stays(dead: "Bench") -> None:
    dead_letters.discard(dead.log, *named(dead, "evt_poison0"))
    assert trim(dead.log, -1000).removed == 1
    assert dead.log.hlen(DISCARDED) == 0
    assert named(dead, "evt_poison0") == [Treated("evt_poison0", "", "unknown", "", "")]
    assert len(letters(dead)) == 2


def test_a_dry_run_changes_nothing(dead: "Bench") -> None:
    before = dead.log.hgetall(RETRIES)
    for treat in (dead_letters.retry, dead_letters.discard):
        done = treat(dead.log, *named(dead, "evt_poison0"), dry_run=True)
        assert done.verdict in {"retried", "discarded"}
    assert dead.log.hgetall(RETRIES) == before
    assert dead.log.llen(doorbell.QUEUE_KEY) == 0
    assert dead.log.zcard(FAILED) == 3


def test_what_has_not_failed_is_left_alone(bench: "Bench") -> None:
    bench.accept(created("A", 1))
    [event_id] = bench.event_ids()
    for state in ("pending", "applied"):
        [one] = named(bench, event_id)
        assert one.state == state
        assert dead_letters.retry(bench.log, one) == one
        assert dead_letters.discard(bench.log, one) == one
        bench.drain()
    [unknown] = named(bench, "evt_unknown", "evt_unknown")
    assert dead_letters.retry(bench.log, unknown).verdict == "unknown"
    assert dead_letters.discard(bench.log, unknown).verdict == "unknown"


def test_one_that_is_retried_while_somebody_discards_it_is_not_discarded(
    dead: "Bench", monkeypatch: pytest.MonkeyPatch
) -> None:
    [one] = named(dead, "evt_poison0")
    monkeypatch.setattr("workers.retries.standing.discard", lambda *_: False)
    assert dead_letters.discard(dead.log, one).verdict == "not_failed"
