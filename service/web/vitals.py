"""The vitals: all that /metrics tells, read from the stores in one go.

Every web process reads the same there, so whichever of them Prometheus asks tells of the whole
service. What another part of Onfile counts in METERS or COUNTERS becomes a line in `exposition`.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
from redis.asyncio import Redis, RedisCluster

from service.doorbell import FAILED_JOBS_KEY, QUEUE_KEY
from service.keys import CATCH_UPS, COUNTERS, DOUBTS, HALT, METERS, SECRETS
from service.log.backlog import Backlog, backlog_async
from service.projection_reads import FindStore
from service.stores import AWAY, durability_async
from service.watch.secret_use import WebhookSecret, read_secrets
from service.web.health import workers_alive

PATIENCE_SECONDS = 5.0
"""Half of what Prometheus waits by default: better some of it in time than all of it late."""


class Node(msgspec.Struct, frozen=True):
    """How a node of a store is; sizes in bytes, 0 for unknown or no limit."""

    store: str
    """events or projection."""
    name: str
    """Its address, in a cluster; else empty."""
    used: int
    limit: int
    machine: int
    writes_ok: bool
    """Whether its last write to disk succeeded."""
    durable: bool | None = None
    """Whether what it acknowledges is on disk; None where nobody asked."""


class CaughtUp(msgspec.Struct, frozen=True):
    """Of what a catch-up keeps (see keys.CATCH_UPS), how far it is good."""

    until: float = 0.0


class Vitals(msgspec.Struct, frozen=True):
    """What the store of the event log knows of the whole service."""

    backlog: Backlog
    workers: int
    jobs_waiting: int
    jobs_failed: int
    halted: bool
    ambiguous_customers: int
    caught_up: float
    """Until when Stripe's events are known to be here, in every namespace that was ever caught up
    with; unix seconds, 0 for never."""
    counters: dict[str, int]
    meters: dict[str, int]
    secrets: list[WebhookSecret]
    node: Node


async def vitals(events: Redis) -> Vitals | None:
    """Return them; None when the store does not answer in time."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async with events.pipeline(transaction=False) as pipe:
                for key in (COUNTERS, METERS, SECRETS):
                    pipe.hgetall(key)
                pipe.llen(QUEUE_KEY)
                pipe.zcard(FAILED_JOBS_KEY)
                pipe.exists(HALT)
                pipe.hlen(DOUBTS)
                pipe.hvals(CATCH_UPS)
                counted = await pipe.execute()
            counters, meters, secrets, waiting, failed, halted, doubts, caught_up = counted
            durability = await durability_async(events)
            return Vitals(
                backlog=await backlog_async(events),
                workers=await workers_alive(events),
                jobs_waiting=waiting,
                jobs_failed=failed,
                halted=bool(halted),
                ambiguous_customers=doubts,
                caught_up=_least(_CAUGHT_UP.decode(one).until for one in caught_up),
                counters=_numbers(counters),
                meters=_numbers(meters),
                secrets=read_secrets(secrets),
                node=_node("events", "", await events.info(), durable=durability.kept),
            )
    except AWAY:
        return None


async def projection_nodes(find: FindStore) -> list[Node] | None:
    """Return the nodes of the projection's store; None when it does not answer in time."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            client = await find()
            if isinstance(client, RedisCluster):
                await client.initialize()  # it knows no nodes before its first command
                primaries = client.get_primaries()
                infos = await asyncio.gather(*(client.info(target_nodes=p) for p in primaries))
                return [
                    _node("projection", str(primary.name), info)
                    for primary, info in zip(primaries, infos, strict=True)
                ]
            durability = await durability_async(client)
            return [_node("projection", "", await client.info(), durable=durability.kept)]
    except AWAY:
        return None


def _numbers(fields: dict[bytes, bytes]) -> dict[str, int]:
    return {name.decode(): int(number) for name, number in fields.items()}


def _node(store: str, name: str, info: dict[str, Any], *, durable: bool | None = None) -> Node:
    return Node(
        store=store,
        name=name,
        used=int(info.get("used_memory", 0)),
        limit=int(info.get("maxmemory", 0)),
        machine=int(info.get("total_system_memory", 0)),
        writes_ok=info.get("aof_last_write_status", "ok") == "ok",
        durable=durable,
    )


def _least(moments: Iterable[float]) -> float:
    return min((moment for moment in moments if moment), default=0.0)


_CAUGHT_UP = msgspec.json.Decoder(CaughtUp)
