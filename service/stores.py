"""Clients of the store, and what the store promises about what it is given."""

from typing import Any, TypeAlias

import hiredis
import msgspec
import redis
import redis.asyncio
import redis.asyncio.retry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from service import sentinels

STORE_TIMEOUT_SECONDS = 1.0
"""A healthy store answers within milliseconds; after this long it is away."""

PATIENT_TRIES = 20
"""Some eight seconds in all, half a second apart at last: as long as a failover may take."""

UNKNOWN = "unknown"

_NO_NOTIFICATIONS = MaintNotificationsConfig(enabled=False)
"""With them the client takes an idle connection that the store has closed for a good one, and the
first command after a restart of the store fails."""


Projecting: TypeAlias = redis.Redis | redis.RedisCluster
"""What holds the projection: its steps touch one slot each, so a cluster serves as well."""


AWAY = (
    redis.ConnectionError,
    redis.TimeoutError,
    OSError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.MasterDownError,
    redis.exceptions.RedisClusterException,
)
"""All the ways a store has of not serving for a while; any other error is a bug of ours."""


class StoreAwayError(Exception):
    """The store is away or refuses to write; nothing can be accepted until it is back."""


def words_of(error: Exception) -> str:
    """Return what the client says, without the connections that it describes for each Sentinel."""
    return str(error).partition(" : <redis.")[0].rstrip(".")


class Durability(msgspec.Struct, frozen=True):
    """How the store keeps what it acknowledged; `unknown` where it does not tell."""

    appendonly: str
    appendfsync: str
    maxmemory_policy: str

    @property
    def kept(self) -> bool:
        """Whether an acknowledged event is certain to be on disk and never evicted."""
        return (self.appendonly, self.appendfsync, self.maxmemory_policy) == (
            "yes",
            "always",
            "noeviction",
        )


def connect(url: str, *, timeout: float = STORE_TIMEOUT_SECONDS) -> redis.Redis:
    """Return a client for workers and operators; it connects at its first command.

    It never repeats a command by itself: redis-py would repeat a whole transaction whose reply
    was lost, and count it twice. RQ changes the timeouts of the connections it is given, so a
    worker makes one for RQ and another for everything else.
    """
    return _connect(url, **_once_within(timeout))


def connect_patiently(url: str, **options: Any) -> redis.Redis:  # noqa: ANN401 - redis-py's own
    """Return a client that repeats what fails, as redis-py does: for RQ, which counts on that.

    Through Sentinels it waits, in the middle of a job too, for the primary that they will name.
    """
    if sentinels.read(url):
        options["retry"] = Retry(ExponentialWithJitterBackoff(), PATIENT_TRIES)
    return _connect(url, **options)


def connect_async(url: str, *, timeout: float = STORE_TIMEOUT_SECONDS) -> "redis.asyncio.Redis":
    """Return a client for the web; like connect."""
    options = _once_within(timeout) | {"retry": redis.asyncio.retry.Retry(NoBackoff(), 0)}
    found: redis.asyncio.Redis
    if known := sentinels.read(url):
        ask: Any = redis.asyncio.Sentinel
        asked = ask(known.hosts, sentinel_kwargs=known.tls | options)
        options |= known.credentials | known.tls
        found = asked.master_for(
            known.name, connection_pool_class=_ClosedWithItsSentinels, **options
        )
    else:
        found = redis.asyncio.Redis.from_url(url, **options)
    pool = found.connection_pool
    pool.connection_class = type("Connection", (_PackedInC, pool.connection_class), {})
    return found


def _connect(url: str, **options: Any) -> redis.Redis:  # noqa: ANN401 - redis-py's own
    if known := sentinels.read(url):
        ask: Any = redis.Sentinel  # redis-py tells no types of it
        asked = ask(known.hosts, sentinel_kwargs=known.tls | _once_within(STORE_TIMEOUT_SECONDS))
        found: redis.Redis = asked.master_for(
            known.name, **known.credentials, **known.tls, **options
        )
        return found
    return redis.Redis.from_url(url, **options)


def _once_within(timeout: float) -> dict[str, Any]:
    return {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "maint_notifications_config": _NO_NOTIFICATIONS,
    }


class _ClosedWithItsSentinels(redis.asyncio.SentinelConnectionPool):
    """redis-py leaves the connections to the Sentinels open."""

    async def aclose(self) -> None:
        await super().aclose()
        await self.sentinel_manager.aclose()


class _PackedInC:
    """A connection that leaves it to hiredis to pack commands.

    Argument by argument in Python, that took longer than compressing the events of a commit.
    """

    def pack_command(self, command: str, *args: str | bytes | float) -> list[bytes]:
        """Return it as it is sent; a command may be of several words, as `SCRIPT LOAD`."""
        whole: Any = (*command.split(), *args)  # hiredis's stub knows commands of one word
        return [hiredis.pack_command(whole)]


def connect_projection(url: str, *, timeout: float = STORE_TIMEOUT_SECONDS) -> Projecting:
    """Return a client of the projection's store, be it one node or a cluster.

    Raises:
        redis.RedisError: the store is away, so nobody knows which of the two it is.

    """
    client = connect(url, timeout=timeout)
    info: Any = client.info("cluster")
    if not info.get("cluster_enabled"):
        return client
    client.close()
    return redis.RedisCluster.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout)


class ProjectionStore:
    """The projection's store for the web: at its first use found to be one node or a cluster.

    The web starts while it is away, and nothing but the store itself can tell.
    """

    def __init__(self, url: str, *, timeout: float = STORE_TIMEOUT_SECONDS) -> None:
        self._url = url
        self._timeout = timeout
        self._node = connect_async(url, timeout=timeout)
        self._found: redis.asyncio.Redis | redis.asyncio.RedisCluster | None = None

    async def find(self) -> "redis.asyncio.Redis | redis.asyncio.RedisCluster":
        """Return the client to use; raises like any command while the store is away."""
        if self._found is None:
            info: Any = await self._node.info("cluster")
            self._found = self._cluster() if info.get("cluster_enabled") else self._node
        return self._found

    async def aclose(self) -> None:
        """Close its connections."""
        await self._node.aclose()
        if self._found not in {None, self._node}:
            await self._found.aclose()

    def _cluster(self) -> "redis.asyncio.RedisCluster":
        return redis.asyncio.RedisCluster.from_url(
            self._url, socket_timeout=self._timeout, socket_connect_timeout=self._timeout
        )


def durability(client: redis.Redis) -> Durability:
    """Return how the store is set; `unknown` where CONFIG is forbidden, as managed stores do."""
    try:
        settings: Any = client.config_get(*_SETTINGS)
    except redis.ResponseError:
        settings = {}
    return _durability(settings)


async def durability_async(client: "redis.asyncio.Redis") -> Durability:
    """Return how the store is set, for the web."""
    try:
        settings: Any = await client.config_get(*_SETTINGS)
    except redis.ResponseError:
        settings = {}
    return _durability(settings)


_SETTINGS = ("appendonly", "appendfsync", "maxmemory-policy")


def _durability(settings: dict[str, str]) -> Durability:
    return Durability(*(settings.get(name, UNKNOWN) for name in _SETTINGS))
