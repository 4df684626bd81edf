"""What workers do beside their jobs: the log does not grow, notes do not outlive their reason."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from service.keys import COUNTERS, LOG, OVERCOME, RETRIES, Namespace, Subject
from service.log import event_log, retention, standing
from service.log.backlog import backlog
from tests.workers.notation import CUSTOMER, added, created, event
from tests.workers.operators.bench import Bench, bench_on
from workers import doubts, maintenance, retries
from workers.effect import Doubt
from workers.maintenance import Rechecker, Trimmer

if TYPE_CHECKING:
    from tests.conftest import Store


@pytest.fixture
def bench(store: "Store") -> Iterator[Bench]:
    with bench_on(store.url) as made:
        yield made


def test_the_log_is_trimmed_piece_after_piece_and_everything_about_it_goes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "trim", partial(retention.trim, count=2))
    bench.accept(created("A", 1), *(added(letter, 2) for letter in "ABCDE"))
    bench.drain()
    poison = event("customer.source.created", {"object": "card"}, 3, event_id="evt_poison")
    bench.accept(poison, created("B", 4))
    trimmer = Trimmer(retention_days=0)
    while bench.log.xlen(LOG) > 2:  # those of this very millisecond are not old yet
        trimmer.run(bench.log)
        trimmer = Trimmer(retention_days=0)
    bench.drain()
    while bench.log.xlen(LOG) > 1:
        Trimmer(retention_days=0).run(bench.log)
    assert bench.event_ids() == ["evt_poison"]  # it is being retried
    indexed: Any = [bench.log.hkeys(key) for key in bench.log.keys("onfile:index:*")]
    assert [entry.id for entry in event_log.find(bench.log, "evt_poison")] == ["evt_poison"]
    assert sum(map(len, indexed)) == 2  # by its own id and by its request's
    assert bench.log.keys("onfile:m:*") == []


def test_a_run_is_followed_by_a_pause(bench: Bench) -> None:
    trimmer = Trimmer(retention_days=0)
    trimmer.run(bench.log)
    bench.accept(created("A", 1))
    bench.drain()
    trimmer.run(bench.log)
    assert bench.log.xlen(LOG) == 1


def test_a_doubt_that_has_no_reason_any_more_is_taken_away(bench: Bench) -> None:
    bench.accept(created("A", 1), added("Z", 5, customer="cus_2"))
    bench.drain()
    decided, lost = (Subject(Namespace("", "test"), c) for c in (CUSTOMER, "cus_lost"))
    doubts.note(bench.log, {one: Doubt(1, ("order",)) for one in (decided, lost)})
    assert doubts.count(bench.log).customers == 3
    Rechecker().run(bench.log, bench.projection)
    left = doubts.count(bench.log)
    assert (left.customers, left.default, left.order) == (2, 1, 1)
    assert bench.log.hget(COUNTERS, "doubts:order") == b"1"


def test_a_retry_of_what_was_erased_meanwhile_is_done_with(bench: Bench) -> None:
    bench.accept(created("A", 1))
    [entry] = event_log.claim_new(bench.log, "worker", 1)
    begun = retries.begun(bench.log, entry.entry_id, entry.id)
    standing.erase(bench.log, [entry])
    failed = retries.Retry(entry.id, "retrying", 0, begun.attempts)
    retries.write(bench.log, entry.entry_id, failed)
    maintenance.enqueue_lost_retries(bench.log)
    now = backlog(bench.log)
    assert (now.accepted, now.applied, now.failing) == (1, 1, 0)
    assert not bench.log.exists(RETRIES, OVERCOME)
