"""What is wrong with the stores and the workers, in sentences for whoever reads /readyz."""

import msgspec

from service.log.backlog import Backlog
from service.stores import UNKNOWN, Durability

BEHIND_SECONDS = 30
"""After any crash the workers have caught up within this; an older event tells of trouble."""


class EventStore(msgspec.Struct, frozen=True):
    """The store of event log and queue, and what it knows of the workers."""

    durability: Durability
    workers: int
    backlog: Backlog


def problems(store: EventStore | None, *, projection_reachable: bool) -> list[str]:
    """Return what is wrong, each in a sentence that says what it means and what to do."""
    found = []
    if not projection_reachable:
        found.append("The projection's store does not answer: queries get 503 until it does.")
    if store is None:
        found.append(
            "The event log's store does not answer or takes no writes: deliveries get 503 until it "
            "does. Start it, or give it room (maxmemory, disk)."
        )
        return found
    found += _durability_problems(store.durability)
    if not store.workers:
        found.append(
            "No worker is alive: events are kept but not applied. Start one: onfile worker."
        )
    if (waited := (store.backlog.oldest_ms or 0) / 1000) > BEHIND_SECONDS:
        found.append(
            f"An event has been waiting for {waited:.0f} seconds: answers are behind Stripe. "
            "Look at the workers' log, or start more of them."
        )
    if store.backlog.failing:
        found.append(
            f"{store.backlog.failing} events failed and are retried or given up: their reasons "
            "are in the workers' log, and in RQ's failed jobs for those given up."
        )
    return found


def _durability_problems(store: Durability) -> list[str]:
    found = []
    if store.appendonly == UNKNOWN:
        return [
            "The store does not say how it keeps what it acknowledges: CONFIG GET is forbidden."
        ]
    if store.appendonly != "yes":
        found.append(
            "The store keeps no append-only file: acknowledged events are lost when it stops. "
            "Set appendonly yes and appendfsync always."
        )
    elif store.appendfsync != "always":
        found.append(
            f"The store's appendfsync is {store.appendfsync}: the last acknowledged events are "
            "lost when its machine stops. Set appendfsync always."
        )
    if store.maxmemory_policy != "noeviction":
        found.append(
            f"The store's maxmemory-policy is {store.maxmemory_policy}: when memory is short it "
            "throws events away. Set maxmemory-policy noeviction."
        )
    return found
