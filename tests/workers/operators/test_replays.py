"""Replays: whatever is applied again, however often and whatever dies, the answers stay right."""

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pytest
import redis

from service import doorbell
from service.keys import COUNTERS, DOUBTS, HALT, LOG, REPLAY, REPLAY_QUEUE
from service.log import event_log, replay_queue
from service.log.retention import trim
from tests.workers.notation import added, created, event, removed, updated
from tests.workers.stored import stored_answers, stored_values
from workers import doubts, draining, halting, jobs, maintenance, replaying, retries
from workers.operators import dead_letters, replays
from workers.operators.doctor import examine
from workers.operators.replays import Course
from workers.operators.search import Found, Wanted
from workers.operators.status import Status, status

if TYPE_CHECKING:
    from service.event import Event
    from tests.workers.operators.bench import Bench, Handlers
    from workers.algebra.facts import Facts

HISTORY = [created("A", 1), added("A", 1), added("B", 3), updated(["A", "B"], 4), removed("A", 5)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halting, "PAUSES_SECONDS", (3600,))
    monkeypatch.setattr(draining, "STUCK_MILLISECONDS", 50)
    monkeypatch.setattr(replays, "LOOK_SECONDS", 0.001)


def poison(number: int) -> bytes:
    return event("customer.source.created", {"object": "card"}, 5, event_id=f"evt_poison{number}")


def courses(
    bench: "Bench", found: Iterable[Found] | None = None, **wanted: object
) -> Iterator[Course]:
    """Follow a replay of what is wanted, or of these."""
    chosen = replays.chosen(bench.log, Wanted(**wanted)) if found is None else found  # type: ignore[arg-type]
    return replays.run(bench.log, chosen, skipping=replays.skips(by_name=found is not None))


def queue_all(bench: "Bench") -> None:
    """Queue everything, as a command does that is killed then."""
    next(course for course in courses(bench) if course.queued)


def replay(bench: "Bench", found: Iterable[Found] | None = None, **wanted: object) -> Course:
    """Replay to the end, with a worker at it."""
    last = Course()
    for last in courses(bench, found, **wanted):  # noqa: B007 - the last one tells of all
        replaying.replay(bench.log, bench.projection)
    return last


def named(bench: "Bench", *event_ids: str) -> list[Found]:
    found, unknown = replays.named(bench.log, event_ids)
    assert unknown == []
    return found


def seen(bench: "Bench") -> Status:
    now = status(bench.desk, sample_seconds=0)
    counted = now.applied + now.pending + now.retrying + now.failed + now.discarded
    assert counted == now.accepted
    return now


def numbers(bench: "Bench") -> tuple[int, ...]:
    now = seen(bench)
    return now.applied, now.pending, now.retrying, now.failed, now.discarded


def lose_projection(bench: "Bench") -> None:
    bench.log.delete(*stored_values(bench.log))


def test_everything_applied_again_twice_changes_no_byte(bench: "Bench") -> None:
    bench.accept(*HISTORY)
    bench.drain()
    before = stored_values(bench.log)
    for _ in range(2):
        course = replay(bench)
        assert (course.queued, course.left, course.all_queued) == (5, 0, True)
    assert stored_values(bench.log) == before
    assert numbers(bench) == (5, 0, 0, 0, 0)
    assert seen(bench).replaying.outcomes == {"unchanged": 10}
    assert bench.log.xlen(REPLAY) == 0


def test_a_lost_projection_is_made_anew_with_its_doubts(bench: "Bench") -> None:
    bench.accept(*HISTORY, created(None, 1, id="cus_2"), added("X", 2, customer="cus_2"))
    bench.accept(added("Y", 2, customer="cus_2"))
    bench.drain()
    before, doubted = stored_answers(bench.log), doubts.count(bench.log)
    assert doubted.customers == 1
    lose_projection(bench)
    bench.log.delete(DOUBTS)
    bench.log.hdel(COUNTERS, *[f"doubts:{kind}" for kind in doubts.KINDS])
    replay(bench)
    assert stored_answers(bench.log) == before
    assert doubts.count(bench.log) == doubted


def test_what_is_chosen_is_replayed_and_nothing_else(bench: "Bench") -> None:
    bench.accept(*HISTORY, event("customer.created", {"id": "cus_2", "object": "customer"}, 1))
    bench.drain()
    lose_projection(bench)
    assert replay(bench, customer="cus_2").queued == 1
    assert list(stored_answers(bench.log)) == ["cus_2"]
    assert replay(bench, type="customer.source.*").queued == 3
    assert replay(bench, since=time.time() + 60).queued == 0
    assert replay(bench, until=time.time() - 60).queued == 0


def test_what_comes_in_after_the_start_is_not_waited_for(bench: "Bench") -> None:
    bench.accept(created("A", 1))
    bench.drain()
    wanted = replays.chosen(bench.log, Wanted())
    time.sleep(0.005)
    bench.accept(added("A", 1))
    bench.drain()
    assert [found.type for found in wanted] == ["customer.created"]


def test_pending_and_retried_events_are_left_alone_and_so_are_discarded_ones_unless_named(
    bench: "Bench",
) -> None:
    bench.accept(poison(0), poison(1), created("A", 1))
    bench.drain()
    bench.try_again("evt_poison0")
    [one] = dead_letters.named(bench.log, ["evt_poison0"])
    dead_letters.discard(bench.log, one)
    bench.accept(added("A", 1))
    course = replay(bench)
    assert (course.queued, course.skipped) == (1, {"discarded": 1, "retrying": 1, "pending": 1})
    assert numbers(bench) == (1, 1, 1, 0, 1)
    assert replay(bench, named(bench, "evt_poison0")).queued == 1
    assert numbers(bench) == (1, 1, 2, 0, 0)


def test_an_event_that_is_not_in_the_log_is_named_as_such(bench: "Bench") -> None:
    bench.accept(event("customer.created", {"id": "cus_1", "object": "customer"}, 1, request="r"))
    assert replays.named(bench.log, ["evt_x", "r", "evt_x"]) == ([], ["evt_x", "r"])


def test_dead_letters_of_a_handler_that_was_mended_are_applied_and_gone_everywhere(
    bench: "Bench", handlers: "Handlers", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.retries.MOST_ATTEMPTS", 1)
    handlers.broken = True
    bench.accept(created("A", 1), added("A", 1))
    bench.drain()
    for event_id in bench.event_ids():
        bench.try_again(event_id)
    bench.work()
    assert numbers(bench) == (0, 0, 0, 2, 0)
    assert bench.log.zcard(doorbell.FAILED_JOBS_KEY) == 2
    handlers.broken = False
    assert replay(bench, state="failed").queued == 2
    assert numbers(bench) == (2, 0, 0, 0, 0)
    assert bench.log.zcard(doorbell.FAILED_JOBS_KEY) == 0
    assert bench.desk.projection.load(["onfile:c:{test::cus_1}"]) != [None]


def test_an_event_that_fails_in_a_replay_goes_the_way_of_any_failure(
    bench: "Bench", handlers: "Handlers"
) -> None:
    bench.accept(*HISTORY)
    bench.drain()
    handlers.broken = True
    replay(bench)
    assert numbers(bench) == (0, 0, 5, 0, 0)
    assert bench.log.xlen(REPLAY) == 0
    handlers.broken = False
    bench.work()
    assert numbers(bench) == (5, 0, 0, 0, 0)


def test_when_nearly_all_of_a_replay_fails_it_pauses_alone_and_goes_on_by_itself(
    bench: "Bench", handlers: "Handlers"
) -> None:
    bench.accept(*[created("A", n) for n in range(50)])
    bench.drain()
    sound = handlers.sound

    def bad_for_old_events(event: "Event") -> "Facts":
        if event.created < 50:
            raise RuntimeError
        return sound(event)

    handlers.sound = bad_for_old_events
    queue_all(bench)
    replaying.replay(bench.log, bench.projection)
    assert numbers(bench) == (50, 0, 0, 0, 0)
    shown = seen(bench).replaying
    assert (shown.left, shown.halted and shown.halted.reason) == (50, "RuntimeError")
    assert seen(bench).halted is None
    [finding] = [one for one in examine(bench.desk) if one.check == "replay"]
    assert (finding.level, "50 events left: 50 of the last 50" in finding.says) == ("trouble", True)
    assert replaying.replay(bench.log, bench.projection) == {"halted": 0}
    bench.accept(created("B", 99))
    assert bench.drain()["applied"] == 1, "new events go on"
    handlers.sound = sound
    halting.probe_soon(bench.log)
    while replay_queue.waiting(bench.log):
        time.sleep(0.01)
        jobs.replay()
    assert seen(bench).replaying.halted is None
    assert numbers(bench) == (51, 0, 0, 0, 0)


def test_while_new_events_are_halted_nothing_is_replayed(bench: "Bench") -> None:
    bench.accept(*HISTORY)
    bench.drain()
    queue_all(bench)
    bench.log.set(HALT, b'{"since":1,"until":9e9,"pauses":1,"reason":"x","failed":1,"tried":1}')
    assert replaying.replay(bench.log, bench.projection) == {"halted": 0}
    assert next(courses(bench)).halted is not None
    assert bench.log.xlen(REPLAY) > 0


def test_what_a_killed_worker_had_taken_is_taken_over(bench: "Bench") -> None:
    bench.accept(*HISTORY)
    bench.drain()
    before = stored_answers(bench.log)
    lose_projection(bench)
    queue_all(bench)
    assert len(replay_queue.take_new(bench.log, "worker", 3)) == 3
    while replay_queue.waiting(bench.log):
        time.sleep(0.01)
        replaying.replay(bench.log, bench.projection)
    assert stored_answers(bench.log) == before


def test_an_event_that_may_be_killing_the_workers_gets_a_job_of_its_own(bench: "Bench") -> None:
    bench.accept(created("A", 1))
    bench.drain()
    queue_all(bench)
    replay_queue.take_new(bench.log, "worker", 1)
    for _ in range(draining.SUSPECT_DELIVERIES - 2):
        replay_queue.take_over(bench.log, "worker", 0, 1)
    time.sleep(0.06)
    replaying.replay(bench.log, bench.projection)
    assert (bench.log.xlen(REPLAY), numbers(bench)) == (0, (0, 0, 1, 0, 0))
    bench.work()
    assert numbers(bench) == (1, 0, 0, 0, 0)


def test_a_projection_that_is_away_loses_nothing(
    bench: "Bench", monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.accept(*HISTORY)
    bench.drain()
    queue_all(bench)

    def away(*_: object) -> None:
        raise redis.ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr("workers.rounds.apply", away)
        assert jobs.replay() == {"stalled": 5}
    assert (numbers(bench), bench.log.xlen(REPLAY)) == ((5, 0, 0, 0, 0), 5)
    while replay_queue.waiting(bench.log):
        time.sleep(0.01)
        jobs.replay()


def test_new_events_go_first(bench: "Bench", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "ROUND_EVENTS", 2)
    bench.accept(*HISTORY)
    bench.drain()
    queue_all(bench)
    bench.log.delete(doorbell.REPLAY_QUEUE_KEY)
    doorbell.ring(bench.log)
    assert replaying.replay(bench.log, bench.projection).total() == 2, "one round, no more"
    [job] = doorbell.queue(bench.log, REPLAY_QUEUE).jobs
    assert job.func_name == "workers.jobs.replay"
    assert seen(bench).replaying.left == 3


def test_under_a_steady_load_a_replay_gets_on_between_the_rounds(bench: "Bench") -> None:
    bench.accept(*HISTORY)
    bench.drain()
    queue_all(bench)
    bench.accept(created("C", 9))
    jobs.drain()
    assert (seen(bench).replaying.left, seen(bench).pending) == (0, 0)


def test_what_killed_workers_had_taken_goes_before_what_is_replayed(
    bench: "Bench", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "ROUND_EVENTS", 2)
    bench.accept(*HISTORY)
    bench.drain()
    queue_all(bench)
    bench.accept(*[created(letter, 9) for letter in "CDEF"])
    event_log.claim_new(bench.log, "worker", 4)
    time.sleep(0.06)
    pending: list[int] = []
    draining.drain(
        bench.log, bench.projection, meanwhile=lambda: pending.append(seen(bench).pending)
    )
    assert seen(bench).pending == 0
    assert set(pending) <= {0}, "no replayed round between two of them"


def test_never_more_than_a_bound_is_queued_and_no_faster_than_asked(
    bench: "Bench", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "PIECE", 2)
    monkeypatch.setattr(replays, "MOST_QUEUED", 3)
    monkeypatch.setattr(draining, "ROUND_EVENTS", 1)
    bench.accept(*[created("A", n) for n in range(20)])
    bench.drain()
    most = 0
    for course in courses(bench):
        most = max(most, replay_queue.waiting(bench.log))
        if most > 3 or course.all_queued:
            replaying.replay(bench.log, bench.projection)
    assert most == 4
    wanted = list(replays.chosen(bench.log, Wanted()))
    paced = replays.run(bench.log, wanted, skipping=(), rate=0.5)
    assert [next(paced).queued for _ in range(5)] == [1] * 5, "the second is due in two seconds"


def test_an_entry_that_has_left_the_log_leaves_the_queue(bench: "Bench") -> None:
    bench.accept(*HISTORY)
    bench.drain()
    queue_all(bench)
    trim(bench.log, -1000)
    bench.accept(created("A", 9))
    assert bench.log.xlen(LOG) == 1
    replaying.replay(bench.log, bench.projection)
    assert bench.log.xlen(REPLAY) == 0


def test_one_event_queued_twice_is_applied_once_and_leaves_the_queue(bench: "Bench") -> None:
    bench.accept(*HISTORY)
    bench.drain()
    for _ in range(3):
        queue_all(bench)
    replaying.replay(bench.log, bench.projection)
    assert bench.log.xlen(REPLAY) == 0
    assert seen(bench).replaying.outcomes == {"unchanged": 5}


def test_what_is_queued_can_be_dropped(bench: "Bench") -> None:
    bench.accept(*HISTORY)
    bench.drain()
    following = courses(bench)
    next(following)
    replay_queue.take_new(bench.log, "worker", 2)
    assert replay_queue.drop(bench.log) == 5
    assert list(following)[-1].left == 0, "whoever follows it comes to an end"
    assert replaying.replay(bench.log, bench.projection).total() == 0
    assert numbers(bench) == (5, 0, 0, 0, 0)


def test_what_was_queued_and_not_rung_for_is_found(bench: "Bench") -> None:
    maintenance.ring_for_replays(bench.log)
    waiting = doorbell.queue(bench.log, REPLAY_QUEUE)
    assert waiting.count == 0
    bench.accept(created("A", 1))
    bench.drain()
    queue_all(bench)
    bench.log.delete(doorbell.REPLAY_QUEUE_KEY)
    maintenance.ring_for_replays(bench.log)
    maintenance.ring_for_replays(bench.log)
    assert waiting.count == 1


def test_a_failure_is_told_once_also_when_another_worker_replays_the_event_well(
    bench: "Bench",
) -> None:
    """Two workers with one entry: every step from one standing to another counts itself."""
    bench.accept(created("A", 1))
    bench.drain()
    [entry_id] = [found.entry for found in replays.chosen(bench.log, Wanted())]
    late = retries.failed(retries.begun(bench.log, entry_id, "evt_1"), "timeout", final=True)
    retries.write(bench.log, entry_id, late)
    assert numbers(bench) == (0, 0, 0, 1, 0)
    replay(bench)
    event_log.acknowledge(bench.log, [entry_id])
    assert numbers(bench) == (1, 0, 0, 0, 0)
