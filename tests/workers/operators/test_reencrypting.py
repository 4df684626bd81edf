"""Re-encryption: all that is stored under the first key, while nothing stands still for it."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
import redis

from service import sealing
from service.compression import UnreadableError
from service.documents import key_id_of
from service.keys import LOG, LOG_COPY, Namespace, Subject, customer_key, index_bucket
from service.log import event_log, retention, rewrite
from service.log.backlog import backlog
from service.log.entry import read_entry
from service.projection import Projection
from service.sealing import Keyring, MissingKeyError
from tests.store_contents import in_files, in_keys
from tests.workers.notation import CUSTOMER, added, created, updated
from tests.workers.operators.bench import KEY, OLD_KEY, Bench, bench_on
from tests.workers.stored import stored_answers, stored_values
from workers import doubts, jobs
from workers.effect import Doubt
from workers.event_worker import worker_on
from workers.operators import forgetting, person, rebuilding, reencrypting
from workers.operators.doctor import examine
from workers.operators.finding import Finding
from workers.operators.reencrypting import Reencrypted, reencrypt
from workers.operators.search import Wanted, search
from workers.operators.timelines import Timelines

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.workers.operators.bench import Handlers

TEST = Namespace("", "test")
ID, OLD_ID = (Keyring([key]).key_id for key in (KEY, OLD_KEY))
EMAIL = b"zoe@example.org"
"""What the handlers of a bad release say, too."""

CANARIES = (EMAIL, b"Zoe Quirk", b"8x57")


def life() -> list[bytes]:
    personal = {"email": EMAIL.decode(), "name": "Zoe Quirk"}
    details = {"name": "Zoe Quirk", "last4": "8x57"}
    return [created("A", 1, **personal), added("A", 1, **details), added("B", 2, **details)]


def shown(found: bytes) -> set[bytes]:
    return {canary for canary in CANARIES if canary in found}


def ids_of(bench: Bench) -> tuple[set[str], set[str]]:
    """Return under which keys events and documents lie."""
    items: Any = bench.log.xrange(LOG)
    events = {sealing.key_id_of(read_entry(item).stored) for item in items}
    return events, {key_id_of(value) for value in stored_values(bench.log).values()}


def finding(bench: Bench) -> Finding:
    [found] = [one for one in examine(bench.desk) if one.check == "encryption"]
    return found


def counted(bench: Bench) -> tuple[int, int, int]:
    """Return how many were accepted, are applied, and wait."""
    now = backlog(bench.log)
    assert now.accepted == now.applied + now.pending + now.failing + now.discarded
    return now.accepted, now.applied, now.pending


def reencrypted(bench: Bench) -> Reencrypted:
    done = reencrypt(bench.desk)
    assert done.complete
    return done


def run_jobs(bench: Bench, client: redis.Redis) -> None:
    """Run every job that waits as our workers do."""
    stores = jobs.Stores(bench.log, bench.projection)
    worker = worker_on(client, stores, bench.desk.settings)
    worker.work(burst=True, logging_level="CRITICAL")


def test_a_person_is_in_no_key_and_in_no_file_of_the_store(
    own_store: "Store", handlers: "Handlers", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", own_store.url)
    monkeypatch.setenv("ONFILE_ENCRYPTION_KEYS", KEY)
    monkeypatch.setattr(jobs, "_stores", None)
    monkeypatch.setattr("workers.retries.MOST_ATTEMPTS", 1)
    with bench_on(own_store.url, (KEY,)) as bench:
        bench.log.config_set("rdbcompression", "no")  # so that the files show what is in them
        bench.accept(*life())
        bench.drain()
        handlers.broken = True
        bench.accept(updated(("A", "B"), 3, email=EMAIL.decode()))
        bench.drain()
        with bench.stranger() as client:
            run_jobs(bench, client)
        assert bench.log.keys("rq:results:*")
        assert shown(in_keys(bench.log)) == set(CANARIES)
        bench.log.save()
        sealing.use(())
        assert shown(in_keys(bench.log)) == set()
        assert shown(in_files(own_store.folder)) == set()
        assert CUSTOMER.encode() in in_files(own_store.folder)
        assert (own_store.folder / "dump.rdb").exists()


def test_answers_are_the_same_bytes_as_without(store: "Store") -> None:
    events = life()
    answers = []
    for keys in ((), (KEY,)):
        with bench_on(store.url, keys) as bench:
            bench.log.flushall()
            bench.accept(*events)
            bench.drain()
            answers.append(stored_answers(bench.log))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("before", "after"),
    [((), (KEY,)), ((OLD_KEY,), (KEY, OLD_KEY)), ((KEY,), ("none", KEY))],
    ids=["turned on", "rolled", "turned off"],
)
def test_old_and_new_forms_lie_side_by_side_until_all_are_of_the_first_key(
    store: "Store", before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    [first, second, third] = events = life()
    old, new = Keyring(before).key_id, Keyring(after).key_id
    with bench_on(store.url, before) as bench:
        bench.accept(first, second)
        bench.drain()
        bench.accept(third)
    with bench_on(store.url, after) as bench:
        bench.accept(*events)
        assert counted(bench) == (3, 2, 1), "what was delivered before is a duplicate"
        bench.drain()
        assert ids_of(bench) == ({old}, {old, new})
        assert finding(bench).level == "advice"
        answers = stored_answers(bench.log)
        versions = {key: value[:8] for key, value in stored_values(bench.log).items()}
        done = reencrypted(bench)
        assert done.before.under_others(new).total() == 3 + 1
        assert ids_of(bench) == ({new}, {new})
        assert stored_answers(bench.log) == answers
        assert {key: v[:8] for key, v in stored_values(bench.log).items()} == versions
    with bench_on(store.url, after[:1] if new else ()) as bench:
        assert finding(bench).level == "ok"
        bench.accept(*events)
        assert counted(bench) == (3, 3, 0), "it is a duplicate without the old key as well"
        assert {
            entry.id
            for event_id in bench.event_ids()
            for entry in event_log.find(bench.log, event_id)
        } == set(bench.event_ids())
        retention.trim(bench.log, 0)
        assert not bench.log.keys("onfile:index:*"), "every row was known, and is gone"


def test_run_again_it_writes_nothing_and_says_that_the_old_key_may_go(store: "Store") -> None:
    with bench_on(store.url, (OLD_KEY,)) as bench:
        bench.accept(*life())
        bench.drain()
    with bench_on(store.url, (KEY, OLD_KEY)) as bench:
        reencrypted(bench)
        before = bench.log.xrange(LOG), stored_values(bench.log)
        assert not reencrypted(bench).rewritten
        assert (bench.log.xrange(LOG), stored_values(bench.log)) == before
        said = finding(bench)
        assert (said.level, said.says) == ("advice", f"Nothing needs key {OLD_ID} any more.")


def test_a_spare_key_is_looked_for_before_it_may_go(store: "Store") -> None:
    with bench_on(store.url, (KEY, OLD_KEY)) as bench:
        bench.accept(*life())
        bench.drain()
        assert "onfile reencrypt looks at everything" in finding(bench).mend


def test_stopped_in_the_middle_it_goes_on_where_it_was(
    store: "Store", monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench_on(store.url) as bench:
        bench.accept(*life())
        bench.drain()
    with bench_on(store.url, (KEY,)) as bench:
        for step in ("rewrite_log", "rewrite_files"):
            with monkeypatch.context() as patch:
                patch.setattr(reencrypting, step, _stop)
                with pytest.raises(KeyboardInterrupt):
                    reencrypt(bench.desk)
            bench.accept(updated(("A", "B"), 3))
            bench.drain()
            assert finding(bench).level in {"advice", "ok"}
        assert reencrypted(bench).rewritten, "the files still held what had been there"
        assert ids_of(bench) == ({ID}, {ID})
        assert counted(bench) == (5, 5, 0)


def test_a_copy_of_the_log_that_was_left_behind_is_not_taken_for_it(
    store: "Store", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrite, "PIECE", 1)
    with bench_on(store.url) as bench:
        bench.accept(*life())
        with pytest.raises(KeyboardInterrupt):
            rewrite.rewrite_log(bench.log, _stop)
        assert bench.log.xlen(LOG_COPY) == 1
    with bench_on(store.url, (KEY,)) as bench:
        reencrypted(bench)
        assert ids_of(bench) == ({ID}, set())
        assert counted(bench) == (3, 0, 3)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_a_worker_stores_in_between_is_not_overwritten(
    store: "Store", monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench_on(store.url) as bench:
        bench.accept(created("A", 1), added("A", 1), added("B", 1))
        bench.drain()
    with bench_on(store.url, (KEY,)) as bench:
        looks = itertools.count(1)
        change, load_stored = updated(("A", "B"), 3), Projection.load_stored

        def changed_after(self: Projection, keys: Sequence[str]) -> list[bytes | None]:
            values = load_stored(self, keys)
            if next(looks) == 2:  # the first only counts
                bench.accept(change)
                bench.drain()
            return values

        monkeypatch.setattr(Projection, "load_stored", changed_after)
        reencrypted(bench)
        assert ids_of(bench) == ({ID}, {ID})
        assert b'"default_source":"card_B"' in stored_answers(bench.log)[CUSTOMER]


class TestAMissingKey:
    @pytest.fixture
    def pending(self, bench: Bench) -> Bench:
        """A customer under the old key, and events under it that wait."""
        first, *others = life()
        sealing.use((OLD_KEY,))
        bench.accept(first)
        bench.drain()
        bench.accept(*others)
        sealing.use(())
        return bench

    def test_leaves_events_pending_until_it_is_back(
        self, pending: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pending.drain()
        assert counted(pending) == (3, 1, 2)
        assert not pending.log.exists("onfile:retries", "onfile:failed")
        said = finding(pending)
        assert said.level == "trouble"
        assert f"under key {OLD_ID}, which this command was not given" in said.says
        sealing.use((KEY, OLD_KEY))
        monkeypatch.setattr("workers.draining.STUCK_MILLISECONDS", 0)
        pending.drain()
        assert counted(pending) == (3, 3, 0)

    def test_holds_up_no_event_that_can_be_read(self, pending: Bench) -> None:
        pending.accept(added("Y", 5, customer="cus_2"))
        assert pending.drain() == {"applied": 1, "halted": 2}
        assert counted(pending) == (4, 2, 2)

    def test_makes_no_dead_letter_of_what_is_being_retried(
        self, bench: Bench, handlers: "Handlers", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("workers.retries.MOST_ATTEMPTS", 1)
        monkeypatch.setenv("ONFILE_ENCRYPTION_KEYS", OLD_KEY)
        sealing.use((OLD_KEY,))
        handlers.broken = True
        body = created("A", 1)
        bench.accept(body)
        bench.drain()
        handlers.broken = False
        monkeypatch.setenv("ONFILE_ENCRYPTION_KEYS", KEY)
        [event_id] = bench.event_ids()
        bench.try_again(event_id)
        assert backlog(bench.log).retrying == 1
        monkeypatch.setattr(jobs, "_stores", None)
        monkeypatch.setenv("ONFILE_ENCRYPTION_KEYS", f"{KEY},{OLD_KEY}")
        bench.try_again(event_id)
        assert counted(bench) == (1, 1, 0)

    def test_halts_a_worker_that_lacks_it_for_all(self, bench: Bench) -> None:
        sealing.use((OLD_KEY,))
        bench.accept(*(created(None, 1) for _ in range(30)))
        sealing.use(())
        bench.drain()
        assert counted(bench) == (30, 0, 30)
        assert bench.log.exists("onfile:halt")

    def test_tells_no_half_of_a_timeline(self, pending: Bench) -> None:
        sealing.use((OLD_KEY,))
        pending.drain()
        sealing.use((KEY,))
        with pytest.raises(MissingKeyError):
            Timelines(pending.log, pending.projection)(TEST, CUSTOMER)

    def test_stops_nobody_from_looking_through_what_is_ambiguous(self, pending: Bench) -> None:
        doubts.note(pending.log, {Subject(TEST, CUSTOMER): Doubt(1, ("default",))})
        doubts.recheck(pending.log, pending.projection, 0)
        assert doubts.count(pending.log).customers == 1

    def test_lets_nobody_be_forgotten_by_halves(self, pending: Bench) -> None:
        with pytest.raises(MissingKeyError):
            forgetting.forget(pending.desk, person.find(pending.desk, TEST, CUSTOMER))
        assert counted(pending) == (3, 1, 2)

    def test_lets_nobody_be_forgotten_whom_events_may_name(self, bench: Bench) -> None:
        sealing.use((OLD_KEY,))
        bench.accept(*life())
        sealing.use((KEY,))
        with pytest.raises(MissingKeyError):
            person.find(bench.desk, TEST, CUSTOMER)

    def test_lets_a_search_answer_what_can_be_told(self, bench: Bench) -> None:
        sealing.use((OLD_KEY,))
        bench.accept(*life())
        sealing.use((KEY,))
        assert len(list(search(bench.log, Wanted(type="customer.*")))) == len(life())
        with pytest.raises(MissingKeyError):
            list(search(bench.log, Wanted(customer=CUSTOMER)))

    def test_leaves_no_row_of_the_id_of_an_entry_that_is_trimmed(self, bench: Bench) -> None:
        sealing.use((OLD_KEY,))
        bench.accept(*life())
        bench.drain()
        sealing.use(())
        items: Any = bench.log.xrange(LOG)
        buckets = [index_bucket(read_entry(item).id) for item in items]
        assert bench.log.exists(*buckets)
        retention.trim(bench.log, 0)
        assert not bench.log.xlen(LOG)
        assert not bench.log.exists(*buckets)

    def test_is_reported_and_its_key_kept_by_a_reencryption(self, pending: Bench) -> None:
        sealing.use((KEY,))
        done = reencrypt(pending.desk)
        assert not done.complete
        assert done.after.under_others(ID) == {OLD_ID: 5}
        assert not pending.log.exists("onfile:reencrypted")
        sealing.use((KEY, OLD_KEY))
        assert reencrypted(pending).after.under_others(ID).total() == 0

    def test_is_named_by_a_rebuild(self, pending: Bench) -> None:
        *_, rebuilt = rebuilding.rebuild(pending.desk)
        assert {one.reason for one in rebuilt.unreadable} == {"MissingKeyError"}
        [problem] = {one.problem for one in rebuilt.unreadable}
        assert f"key {OLD_ID}, which is not in ONFILE_ENCRYPTION_KEYS" in problem


def test_a_document_opens_under_no_other_key_of_the_store(store: "Store") -> None:
    with bench_on(store.url, (KEY,)) as bench:
        bench.accept(created("A", 1), created("B", 1, id="cus_2"))
        bench.drain()
        mine, theirs = (customer_key(TEST, one) for one in (CUSTOMER, "cus_2"))
        stolen: Any = bench.log.get(theirs)
        bench.log.set(mine, stolen)
        [loaded] = bench.projection.load([mine])
        assert loaded
        with pytest.raises(UnreadableError, match="another place"):
            Timelines(bench.log, bench.projection)(TEST, CUSTOMER)
        said = finding(bench)
        assert (said.level, "1 events or documents cannot be" in said.says) == ("trouble", True)
        assert not reencrypt(bench.desk).complete
        *_, rebuilt = rebuilding.rebuild(bench.desk)
        assert (CUSTOMER, "UnreadableError") in {(o.id, o.reason) for o in rebuilt.unreadable}
