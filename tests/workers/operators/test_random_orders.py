"""Deliveries, workers, failures and operators in any order: every event stands in one place."""

import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from service.event import Event
from service.keys import FAILED, LOG, RETRIES, Namespace
from service.log import event_log, replay_queue, retention
from service.log.backlog import backlog
from service.log.rewrite import rewrite_log
from tests.workers.notation import card, customer, event
from workers import draining, maintenance, replaying, rounds
from workers.algebra.facts import Facts
from workers.handlers import facts_of
from workers.operators import dead_letters, forgetting, person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.workers.operators.bench import Bench

CUSTOMERS = ("cus_1", "cus_2", "cus_3")
STEPS = 80


class Life:
    """What happens at a bench, chosen by a seed."""

    def __init__(self, bench: "Bench", seed: int) -> None:
        self.bench = bench
        self.log = bench.log
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.sound = facts_of
        self.poisonous: set[str] = set()

    def facts_of(self, told: Event) -> Facts:
        if told.id in self.poisonous:
            raise RuntimeError("this release is bad")
        return self.sound(told)

    def deliver(self) -> None:
        bodies = [self._told(self.random.choice(CUSTOMERS)) for _ in range(3)]
        ids = [msgspec.json.decode(body)["id"] for body in bodies]
        self.poisonous |= {one for one in ids if self.random.random() < 0.3}
        self.bench.accept(*bodies)

    def take_and_die(self) -> None:
        event_log.claim_new(self.log, "worker", 1)

    def drain(self) -> None:
        self.bench.drain()

    def try_again(self) -> None:
        self.bench.try_again(self._any())

    def find_lost_retries(self) -> None:
        maintenance.enqueue_lost_retries(self.log)

    def mend(self) -> None:
        self.poisonous.clear()

    def give_up(self) -> None:
        for one in dead_letters.named(self.log, [self._any()]):
            dead_letters.discard(self.log, one)

    def retry(self) -> None:
        for one in dead_letters.named(self.log, [self._any()]):
            dead_letters.retry(self.log, one)

    def queue_a_replay(self) -> None:
        ids = self.entries()
        states = event_log.states(self.log, ids)
        replayed = [one for one, s in zip(ids, states, strict=True) if s in retention.DONE]
        if replayed:
            replay_queue.add(self.log, self.random.sample(replayed, min(4, len(replayed))))

    def replay(self) -> None:
        replaying.replay(self.log, self.bench.projection)

    def forget(self) -> None:
        found = person.find(self.bench.desk, Namespace("", "test"), self.random.choice(CUSTOMERS))
        forgetting.forget(self.bench.desk, found)

    def trim(self) -> None:
        retention.trim(self.log, 1, count=3)

    def rewrite(self) -> None:
        rewrite_log(self.log, lambda _: None)

    def _told(self, owner: str) -> bytes:
        if self.random.random() < 0.3:
            return event("customer.updated", customer("A", id=owner), 5)
        return event("customer.source.created", card("A" + owner, customer=owner), 5)

    def _any(self) -> str:
        return self.random.choice([*self.bench.event_ids(), "evt_none"])

    def entries(self) -> list[str]:
        items: Any = self.log.xrange(LOG)
        return [entry_id.decode() for entry_id, _ in items]


@pytest.mark.parametrize("seed", [2, 11, 31])
def test_whatever_happens_every_event_is_counted_once_and_no_history_outlives_its_event(
    bench: "Bench", monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    life = Life(bench, seed)
    monkeypatch.setattr(rounds, "facts_of", life.facts_of)
    monkeypatch.setattr(draining, "STUCK_MILLISECONDS", 0)
    monkeypatch.setattr(forgetting, "rewrite_files", lambda *_: [])
    happenings: list[Callable[[], None]] = [
        *(life.deliver, life.deliver, life.drain, life.take_and_die, life.try_again),
        *(life.find_lost_retries, life.mend, life.give_up, life.retry, life.queue_a_replay),
        *(life.replay, life.forget, life.trim, life.rewrite),
    ]
    for _ in range(STEPS):
        happening = life.random.choice(happenings)
        happening()
        now = backlog(bench.log)
        standings = (now.applied, now.pending, now.retrying, now.failed, now.discarded)
        assert sum(standings) == now.accepted, happening
        assert min(standings) >= 0, happening
        histories = {*bench.log.hkeys(RETRIES), *bench.log.zrange(FAILED, 0, -1)}
        assert {one.decode() for one in histories} <= {*life.entries()}, happening
