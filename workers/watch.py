"""A worker's own watch over what is pending, by a clock that nobody can set.

The ages of an entry and of a claim are told by the store's wall clock. When that is set back an
hour, nothing is old enough for an hour; so each worker also notes what it sees stand still.
"""

import time
from typing import NamedTuple

import redis

from service.keys import LOG, REPLAY
from service.log import claims
from service.log.backlog import Backlog
from workers.lines import CONSUMER

STREAMS = (LOG, REPLAY)
"""Whose claims are watched."""

WATCHED_CLAIMS = 500
"""The oldest of each stream; once these are settled, the next are."""


class _Claim(NamedTuple):
    taken: int
    """How often the item has been taken; it grows with every claim."""
    since: float
    """When this was seen first, by the monotonic clock."""


class Watch:
    """What one process has seen so far."""

    def __init__(self) -> None:
        self._claims: dict[str, dict[bytes, _Claim]] = {stream: {} for stream in STREAMS}
        self._settled: int | None = None
        self._still_since = 0.0

    def still_seconds(self, behind: Backlog) -> float:
        """Return for how long nothing has been settled although something is pending."""
        now = time.monotonic()
        settled = behind.accepted - behind.pending
        if behind.pending == 0 or settled != self._settled:
            self._settled, self._still_since = settled, now
        return now - self._still_since

    def age_claims(self, client: redis.Redis, stuck_ms: int) -> None:
        """Let the claims that were seen for so long count as so old, whatever the clocks say."""
        for stream, seen in self._claims.items():
            self._claims[stream] = _aged(client, stream, seen, stuck_ms)


def _aged(
    client: redis.Redis, stream: str, before: dict[bytes, _Claim], stuck_ms: int
) -> dict[bytes, _Claim]:
    """Age the claims of one stream; returns those seen now, and since when each stands still."""
    now = time.monotonic()
    seen: dict[bytes, _Claim] = {}
    old: dict[int, list[bytes]] = {}
    for item_id, taken in claims.taken(client, stream, WATCHED_CLAIMS).items():
        known = before.get(item_id)
        claim = known if known and known.taken == taken else _Claim(taken, now)
        if now - claim.since >= stuck_ms / 1000:
            old.setdefault(taken, []).append(item_id)
            claim = _Claim(taken, now)
        seen[item_id] = claim
    for taken, item_ids in old.items():
        claims.give_back(client, stream, CONSUMER, item_ids, idle_ms=stuck_ms, times=taken)
    return seen
