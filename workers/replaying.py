"""The replay: entries of the replay queue applied again, in rounds, after all new events.

Applying an event again changes nothing that was right, so a replay needs no bookkeeping of its own:
what a killed worker had claimed is claimed again, and applied twice it is applied once.
"""

from collections import Counter

import redis

from service.keys import REPLAY_HALT
from service.log import replay_queue
from service.projection import Projection
from workers import draining, halting, lines


def replay(client: redis.Redis, projection: Projection) -> Counter[str]:
    """Apply queued entries for some seconds, or until new events wait.

    Returns how many came to each outcome, as draining.drain does. Does nothing while the workers
    are halted: whatever fails with new events would fail with old ones.
    """
    if halting.current(client):
        return Counter(halted=0)
    return draining.work_off(projection, lines.replays(client, _stop_rule))


def one_round(client: redis.Redis, projection: Projection) -> None:
    """Apply a round of what is queued, if anything is: between two rounds of new events."""
    if replay_queue.waiting(client):
        line = lines.replays(client, _stop_rule)
        draining.work_off(projection, line, seconds=0)


_stop_rule = halting.StopRule(REPLAY_HALT)
