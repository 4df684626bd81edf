"""How a store is set and how full it is; a cluster is told node by node."""

import time
from typing import Any

import msgspec
import redis

from service.settings import without_password
from service.stores import UNKNOWN, Durability, Projecting, durability
from workers.operators.desk import Desk

LOG, PROJECTION, BOTH = "event log", "projection", "event log and projection"


class StoreState(msgspec.Struct, frozen=True):
    """One node of a store."""

    holds: str
    address: str
    version: str
    used_bytes: int
    max_bytes: int
    """Where it stops taking more; 0 for no limit of its own."""
    machine_bytes: int
    """All memory of its machine; 0 where it does not tell."""
    appendonly: str
    appendfsync: str
    maxmemory_policy: str
    last_write_ok: bool
    """Whether its last write to disk succeeded."""
    clock_ahead_seconds: float
    """How far its clock is before this machine's; negative when behind."""

    @property
    def name(self) -> str:
        """What sentences about it begin with."""
        return f"The store of the {self.holds}"

    @property
    def durability(self) -> Durability:
        """How it keeps what it acknowledged."""
        return Durability(self.appendonly, self.appendfsync, self.maxmemory_policy)


def store_states(desk: Desk) -> list[StoreState]:
    """Return every node: the event log's, and the projection's where they are others."""
    settings = desk.settings
    same = settings.redis_url == settings.projection_url
    log_address = without_password(settings.redis_url)
    states = [_state(desk.log, BOTH if same else LOG, log_address)]
    if same:
        return states
    address = without_password(settings.projection_url)
    return states + [
        _state(node, PROJECTION, where or address) for node, where in nodes_of(desk.projecting)
    ]


def nodes_of(client: Projecting) -> list[tuple[redis.Redis, str]]:
    """Return the nodes that hold data, with their places where there are several."""
    if isinstance(client, redis.RedisCluster):
        primaries: Any = client.get_primaries()  # type: ignore[no-untyped-call]
        return [(client.get_redis_connection(node), str(node.name)) for node in primaries]
    return [(client, "")]


def _state(client: redis.Redis, holds: str, address: str) -> StoreState:
    info: dict[str, Any] = msgspec.convert(client.info(), dict[str, Any])
    kept = durability(client)
    return StoreState(
        holds=holds,
        address=address,
        version=_version(info),
        used_bytes=int(info.get("used_memory", 0)),
        max_bytes=int(info.get("maxmemory", 0)),
        machine_bytes=int(info.get("total_system_memory", 0)),
        appendonly=_appendonly(kept, info),
        appendfsync=kept.appendfsync,
        maxmemory_policy=_policy(kept, info),
        last_write_ok=info.get("aof_last_write_status", "ok") == "ok"
        and info.get("rdb_last_bgsave_status", "ok") == "ok",
        clock_ahead_seconds=_clock_ahead(client),
    )


def _version(info: dict[str, Any]) -> str:
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info.get('redis_version', UNKNOWN)}"


def _appendonly(kept: Durability, info: dict[str, Any]) -> str:
    """Where CONFIG is forbidden, INFO still tells."""
    if kept.appendonly == UNKNOWN and "aof_enabled" in info:
        return "yes" if info["aof_enabled"] else "no"
    return kept.appendonly


def _policy(kept: Durability, info: dict[str, Any]) -> str:
    if kept.maxmemory_policy == UNKNOWN:
        return str(info.get("maxmemory_policy", UNKNOWN))
    return kept.maxmemory_policy


def _clock_ahead(client: redis.Redis) -> float:
    before = time.time()
    seconds, microseconds = msgspec.convert(client.time(), tuple[int, int])
    after = time.time()
    return round(seconds + microseconds / 1e6 - (before + after) / 2, 1) or 0.0  # no -0.0
