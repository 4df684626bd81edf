"""A worker's own watch over what is pending, by a clock that nobody can set.

The age of an entry and of a claim are told by the store's wall clock. When that is set back an
hour, nothing is old enough for an hour; so each worker also notes what it sees stand still.
"""

import time
from typing import NamedTuple

import redis

from service.keys import LOG
from service.log import claims
from service.log.backlog import Backlog
from workers.lines import CONSUMER

WATCHED_CLAIMS = 500
"""The oldest; once these are settled, the next are."""


class _Claim(NamedTuple):
    taken: int
    """How often the entry has been taken; it grows with every claim."""
    since: float
    """When this was seen first, by the monotonic clock."""


class Watch:
    """What one process has seen so far."""

    def __init__(self) -> None:
        self._claims: dict[bytes, _Claim] = {}
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
        now = time.monotonic()
        before, self._claims = self._claims, {}
        old: dict[int, list[bytes]] = {}
        for entry_id, taken in claims.taken(client, LOG, WATCHED_CLAIMS).items():
            known = before.get(entry_id)
            claim = known if known and known.taken == taken else _Claim(taken, now)
            if now - claim.since >= stuck_ms / 1000:
                old.setdefault(taken, []).append(entry_id)
                claim = _Claim(taken, now)
            self._claims[entry_id] = claim
        for taken, entry_ids in old.items():
            claims.give_back(client, LOG, CONSUMER, entry_ids, idle_ms=stuck_ms, times=taken)
