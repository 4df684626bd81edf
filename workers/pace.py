"""How long applied entries took, from Stripe and from the log to the answers."""

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import redis

from service.keys import METERS
from service.log.entry import Entry
from service.watch import traces
from service.watch.meters import APPLY, STRIPE
from workers.rounds import Round

TELL_SECONDS = 1.0
"""Prometheus asks every fifteen."""


class Meters:
    """What a drain adds to the meters: told each second, and at its end."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._counts: Counter[str] = Counter()
        self._told = time.monotonic()

    def add(self, counts: Counter[str]) -> None:
        """Add these; telling them round by round took longer than counting them."""
        self._counts.update(counts)
        if time.monotonic() > self._told + TELL_SECONDS:
            self.tell()

    def tell(self) -> None:
        """Tell what is not told yet."""
        meter(self._client, self._counts)
        self._counts.clear()
        self._told = time.monotonic()


def meter(client: redis.Redis, counts: Counter[str]) -> None:
    """Add to the meters; what goes wrong with it harms nobody, and must not."""
    with suppress(redis.RedisError), client.pipeline(transaction=False) as pipe:
        for name, number in counts.items():
            if number:
                pipe.hincrby(METERS, name, number)
        pipe.execute(raise_on_error=False)


def delays(entries: Sequence[Entry], result: Round) -> Counter[str]:
    """Return what these entries, applied just now, add to the timers."""
    now = time.time()
    done = [entry for entry in entries if entry.entry_id not in result.failed]
    since_stripe = (now - result.created.get(entry.entry_id, now) for entry in done)
    return APPLY.count_all(
        max(0.0, now - entry.received_ms / 1000) for entry in done
    ) + STRIPE.count_all(max(0.0, seconds) for seconds in since_stripe)


def trace(entries: Sequence[Entry], result: Round, began: float) -> None:
    """Tell how long each of these entries waited, and of the round that applied it."""
    exporter = traces.exporter("worker")
    if exporter is None:
        return
    ended = time.time()
    for entry in entries:
        outcome = "failed" if entry.entry_id in result.failed else "applied"
        received = entry.received_ms / 1000
        exporter.tell(traces.Step("pending", entry.id, received, began, outcome))
        exporter.tell(traces.Step("apply", entry.id, began, ended, outcome))
