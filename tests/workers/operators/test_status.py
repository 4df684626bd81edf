"""The numbers: every accepted event is counted in one place, whatever happens to it."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from rq import SimpleWorker
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import utcformat

from service import doorbell
from service.keys import COUNTERS, RETRIES, Namespace, Subject
from service.log import event_log, standing
from service.settings import Settings
from tests.workers.notation import added, created, event, removed
from workers import doubts, retries
from workers.effect import Doubt
from workers.operators import dead_letters
from workers.operators.desk import open_desk
from workers.operators.status import Status, status
from workers.operators.work_checks import work_findings

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.workers.operators.bench import Bench, Handlers

POISON = ("customer.source.created", {"object": "card"}, 5)


def seen(bench: "Bench") -> Status:
    now = status(bench.desk, sample_seconds=0)
    counted = now.applied + now.pending + now.retrying + now.failed + now.discarded
    assert counted == now.accepted
    return now


def numbers(now: Status) -> tuple[int, ...]:
    return now.accepted, now.applied, now.pending, now.retrying, now.failed, now.discarded


def test_an_empty_store_has_counted_nothing(bench: "Bench") -> None:
    now = seen(bench)
    assert numbers(now) == (0, 0, 0, 0, 0, 0)
    assert (now.oldest_pending_seconds, now.workers, now.halted) == (None, [], None)
    assert (now.in_per_second, now.out_per_second) == (None, None)


def test_accepted_is_applied_pending_retrying_failed_and_discarded_at_every_step(
    bench: "Bench",
) -> None:
    good = [created("A", 1), added("A", 1), removed("A", 3)]
    poison = [event(*POISON, event_id=f"evt_poison{n}") for n in range(4)]
    bench.accept(*good, *poison, good[0])
    assert numbers(seen(bench)) == (7, 0, 7, 0, 0, 0)
    assert seen(bench).duplicates == 1
    bench.drain()
    assert numbers(seen(bench)) == (7, 3, 0, 4, 0, 0)
    for n in range(4):
        bench.try_again(f"evt_poison{n}")
    assert numbers(seen(bench)) == (7, 3, 0, 0, 4, 0)
    one, two = dead_letters.named(bench.log, ["evt_poison0", "evt_poison1"])
    dead_letters.discard(bench.log, one)
    dead_letters.retry(bench.log, two)
    assert numbers(seen(bench)) == (7, 3, 0, 1, 2, 1)
    dead_letters.retry(bench.log, one)
    assert numbers(seen(bench)) == (7, 3, 0, 2, 2, 0)


def test_what_was_erased_before_any_worker_took_it_is_not_pending_in_an_emptied_log(
    bench: "Bench",
) -> None:
    bench.accept(created("A", 1))
    bench.drain()
    bench.accept(added("A", 1))
    first, second = bench.event_ids()
    for event_id in (second, first):
        standing.erase(bench.log, event_log.find(bench.log, event_id))
    assert numbers(seen(bench)) == (2, 2, 0, 0, 0, 0)


def test_an_applied_event_that_is_applied_again_is_counted_once(bench: "Bench") -> None:
    bench.accept(created("A", 1), event(*POISON, event_id="evt_x"))
    bench.drain()
    [first] = [one.event for one in dead_letters_of_all(bench) if one.event != "evt_x"]
    for _ in range(2):
        bench.try_again(first)
    assert numbers(seen(bench)) == (2, 1, 0, 1, 0, 0)


def dead_letters_of_all(bench: "Bench") -> list[dead_letters.Treated]:
    return list(dead_letters.named(bench.log, bench.event_ids()))


def test_an_applied_event_that_fails_when_it_is_applied_again_is_not_counted_as_applied(
    bench: "Bench", handlers: "Handlers"
) -> None:
    bench.accept(created("A", 1))
    bench.drain()
    [one] = dead_letters_of_all(bench)
    handlers.broken = True
    bench.try_again(one.event)
    assert numbers(seen(bench)) == (1, 0, 0, 1, 0, 0)
    handlers.broken = False
    bench.try_again(one.event)
    assert numbers(seen(bench)) == (1, 1, 0, 0, 0, 0)


def test_two_workers_that_finish_one_event_count_it_once(bench: "Bench") -> None:
    bench.accept(created("A", 1), added("A", 1))
    entries = event_log.claim_new(bench.log, "worker", 10)
    ids = [entry.entry_id for entry in entries]
    event_log.acknowledge(bench.log, ids)
    event_log.acknowledge(bench.log, ids)
    assert numbers(seen(bench)) == (2, 2, 0, 0, 0, 0)
    late = retries.failed(retries.begun(bench.log, ids[0], "evt_1"), "timeout")
    retries.write(bench.log, ids[0], late)  # one of them believes that it failed
    assert numbers(seen(bench)) == (2, 1, 0, 1, 0, 0)
    event_log.acknowledge(bench.log, ids)
    assert numbers(seen(bench)) == (2, 2, 0, 0, 0, 0)
    assert bench.log.hlen(RETRIES) == 0


def test_the_rates_are_those_of_the_time_it_was_watched(
    bench: "Bench", monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(_seconds: float) -> None:
        bench.accept(*[created("A", n) for n in range(10)])
        bench.drain()

    monkeypatch.setattr("workers.operators.status.time.sleep", meanwhile)
    now = status(bench.desk, sample_seconds=1)
    assert now.in_per_second is not None
    assert now.in_per_second > 0
    assert now.in_per_second == now.out_per_second


class At(SimpleWorker):
    """A worker that does a job only as far as others can see."""

    def at(self, job: Job | None) -> None:
        self.connection.delete(self.executions_key)
        if job:
            with self.connection.pipeline() as pipe:
                Execution.create(job, 60, pipe, worker_name=self.name)
                pipe.execute()


def test_a_worker_is_shown_with_what_it_does(bench: "Bench") -> None:
    queue = doorbell.queue(bench.log)
    worker = At([queue], connection=bench.stranger(), serializer=JSONSerializer)
    worker.register_birth()  # type: ignore[no-untyped-call]
    assert [w.does for w in seen(bench).workers] == ["waits for events"]
    bench.accept(event(*POISON, event_id="evt_poison"))
    bench.drain()
    [retried] = queue.jobs
    worker.at(retried)
    [shown] = seen(bench).workers
    assert (shown.does, shown.job) == ("tries evt_poison again", "evt_poison")
    doorbell.ring(bench.log)
    worker.at(queue.jobs[-1])
    assert seen(bench).workers[0].does == "applies what is pending"
    queue.jobs[-1].delete()
    assert seen(bench).workers[0].does == "waits for events"
    worker.register_death()  # type: ignore[no-untyped-call]
    assert seen(bench).workers == []


def test_a_worker_that_was_killed_is_gone_and_not_alive(bench: "Bench") -> None:
    worker = At([doorbell.queue(bench.log)], connection=bench.stranger(), serializer=JSONSerializer)
    worker.register_birth()  # type: ignore[no-untyped-call]
    silent = datetime.now(UTC) - timedelta(seconds=doorbell.SILENT_SECONDS + 5)
    bench.log.hset(worker.key, "last_heartbeat", utcformat(silent))
    found = seen(bench)
    [shown] = found.workers
    assert shown.alive is False
    assert shown.does.startswith(f"gone (last heard {doorbell.SILENT_SECONDS + 5} s ago")
    [finding, *_] = work_findings(found, bench.log, retention_days=30)
    assert (finding.check, finding.level) == ("workers", "trouble")


def test_ambiguous_answers_are_counted_by_what_is_in_doubt_while_they_are(bench: "Bench") -> None:
    bench.accept(created(None, 1), added("A", 5), added("B", 5))
    bench.drain()
    doubted = seen(bench).ambiguous
    assert (doubted.customers, doubted.default, doubted.order) == (1, 1, 1)
    bench.drain()
    bench.accept(removed("A", 9))
    bench.drain()
    assert seen(bench).ambiguous.order == 0
    bench.accept(created("B", 12))
    bench.drain()
    assert seen(bench).ambiguous == doubts.Doubts(
        customers=0, default=0, order=0, object=0, all_noted=True
    )


def test_an_older_note_never_takes_the_place_of_a_newer_one(bench: "Bench") -> None:
    subject = Subject(Namespace("", "test"), "cus_1")
    doubts.note(bench.log, {subject: Doubt(5, ("default",))})
    doubts.note(bench.log, {subject: Doubt(4, ())})
    assert doubts.count(bench.log).default == 1
    doubts.note(bench.log, {subject: Doubt(6, ())})
    assert doubts.count(bench.log).customers == 0
    assert bench.log.hget(COUNTERS, "doubts:default") == b"0"


def test_a_full_store_can_still_be_asked(own_store: "Store") -> None:
    with own_store.client() as client, open_desk(Settings(redis_url=own_store.url)) as desk:
        client.config_set("maxmemory", "100kb")
        now = status(desk, sample_seconds=0)
    assert now.stores[0].used_bytes > now.stores[0].max_bytes
