"""The lines in which entries wait: the new ones in the log itself, and those to be applied again.

A line gives entries out in rounds, each to one worker only; what a worker does not finish stands in
the line again when its claim has run out.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol, TypeAlias

import redis

from service import doorbell
from service.keys import REPLAYED
from service.log import event_log, replay_queue
from service.log.entry import Entry
from workers import halting

CONSUMER = "worker"
"""One name for all workers: what one has claimed no other gets, whatever its name."""

Finish: TypeAlias = Callable[[redis.Redis, Sequence[str], Mapping[str, int]], None]


class PutBack(Protocol):
    """Puts entries back as taken `idle_ms` ago, and never before."""

    def __call__(self, entry_ids: Sequence[str], *, idle_ms: int = 0) -> None: ...  # noqa: D102


class Line(NamedTuple):
    """What a drain works off."""

    client: redis.Redis
    """Of the event log's store."""
    is_live: bool
    """Whether what waits here has just come, so that its delay says how fast all this is."""
    stop_rule: halting.StopRule
    claim_new: Callable[[int], list[Entry]]
    """Takes up to so many entries that no worker has taken."""
    claim_stuck: Callable[[int, int], list[tuple[Entry, int]]]
    """Takes over entries that were taken so many milliseconds ago, up to so many of them; each
    comes with how often it has been taken."""
    put_back: PutBack
    """Has them claimed again later, or at once; that they were taken counts for nothing."""
    finish: Finish
    """Takes entries off the line, on the pipeline that settles them, and counts their outcomes."""
    ring: Callable[[], None]
    """Has a worker go on with it."""
    must_yield: Callable[[], bool]
    """Tells whether another line goes first now."""
    rest: Callable[[], None]
    """Passes the time of a job that may not work."""


def pending(client: redis.Redis, stop_rule: halting.StopRule) -> Line:
    """Return the line of what was never applied.

    Settling an entry takes it off, and so does its failure. A job that may not work takes a while:
    each delivery rings, and would run one of its own.
    """
    return Line(
        client=client,
        is_live=True,
        stop_rule=stop_rule,
        claim_new=partial(event_log.claim_new, client, CONSUMER),
        claim_stuck=partial(event_log.claim_stuck, client, CONSUMER),
        put_back=partial(event_log.put_back, client, CONSUMER),
        finish=lambda *_: None,
        ring=partial(doorbell.ring, client),
        must_yield=lambda: False,
        rest=lambda: time.sleep(halting.NAP_SECONDS),
    )


def replays(client: redis.Redis, stop_rule: halting.StopRule) -> Line:
    """Return the line of what is to be applied again: it yields to new events."""
    queue = _Replays(client)
    return Line(
        client=client,
        is_live=False,
        stop_rule=stop_rule,
        claim_new=queue.claim_new,
        claim_stuck=queue.claim_stuck,
        put_back=queue.put_back,
        finish=queue.finish,
        ring=queue.ring,
        must_yield=lambda: bool(client.llen(doorbell.QUEUE_KEY)),
        rest=lambda: None,
    )


class _Replays:
    """The replay queue as entries of the log; knows which items the claimed ones came by."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._items: defaultdict[str, list[str]] = defaultdict(list)
        """Entry id -> its items: two commands may have queued one entry."""

    def claim_new(self, number: int) -> list[Entry]:
        return self._entries(replay_queue.take_new(self._client, CONSUMER, number))

    def claim_stuck(self, min_idle_ms: int, number: int) -> list[tuple[Entry, int]]:
        stuck = replay_queue.take_over(self._client, CONSUMER, min_idle_ms, number)
        taken = {entry_id: times for (_, entry_id), times in stuck}
        entries = self._entries([named for named, _ in stuck])
        return [(entry, taken[entry.entry_id]) for entry in entries]

    def put_back(self, entry_ids: Sequence[str], *, idle_ms: int = 0) -> None:
        items = self._items_of(entry_ids)
        replay_queue.put_back(self._client, CONSUMER, items, idle_ms=idle_ms)

    def finish(
        self, pipe: redis.Redis, entry_ids: Sequence[str], outcomes: Mapping[str, int]
    ) -> None:
        replay_queue.remove(pipe, self._items_of(entry_ids))
        for outcome, number in outcomes.items():
            if number:
                pipe.hincrby(REPLAYED, outcome, number)

    def ring(self) -> None:
        if replay_queue.waiting(self._client):
            doorbell.ring_replay(self._client)

    def _entries(self, named: Iterable[tuple[str, str]]) -> list[Entry]:
        """Return the entries; items whose entry has left the log leave the queue."""
        fresh: dict[str, list[str]] = {}
        for item_id, entry_id in named:
            if entry_id not in self._items:
                fresh[entry_id] = []
            self._items[entry_id].append(item_id)
        entries = event_log.fetch(self._client, list(fresh))
        lost = fresh.keys() - {entry.entry_id for entry in entries}
        replay_queue.remove(self._client, self._items_of(lost))
        return entries

    def _items_of(self, entry_ids: Iterable[str]) -> list[str]:
        return [item for entry_id in entry_ids for item in self._items.pop(entry_id, [])]
