"""Have the stores write their files anew: what was erased stays in them until they are."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec
import redis

from service.settings import without_password
from workers.operators.desk import Desk
from workers.operators.store_state import nodes_of

LOOK_SECONDS = 0.05

_APPENDONLY = ("aof_rewrites", "aof_last_bgrewrite_status")
_SNAPSHOT = ("rdb_saves", "rdb_last_bgsave_status")
"""What INFO counts them by, and how it says that the last one went well."""


class Rewritten(msgspec.Struct, frozen=True):
    """The files of one store."""

    address: str
    appendonly: Literal["rewritten", "none", "failed", "forbidden"]
    snapshot: Literal["rewritten", "none", "failed", "forbidden"]
    """none: it makes none by itself and has made none since it started."""
    replicas: int
    """Their own files hold what was erased until they are written anew as well."""


def rewrite_files(desk: Desk, waits: Callable[[str], None]) -> list[Rewritten]:
    """Return when every store has written its files anew; `waits` is told which one is at it."""
    done = []
    for client, address in _stores(desk):
        waits(address)
        info = _info(client)
        done.append(
            Rewritten(
                address=address,
                appendonly=_rewrite(client, client.bgrewriteaof, *_APPENDONLY)
                if info.get("aof_enabled")
                else "none",
                snapshot=_rewrite(client, client.bgsave, *_SNAPSHOT)
                if info.get("rdb_saves") or _saves_by_itself(client)
                else "none",
                replicas=int(_info(client, "replication").get("connected_slaves", 0)),
            )
        )
    return done


def _stores(desk: Desk) -> Iterator[tuple[redis.Redis, str]]:
    settings = desk.settings
    log_address = without_password(settings.redis_url)
    yield desk.log, log_address
    if settings.projection_url != settings.redis_url:
        address = without_password(settings.projection_url)
        for client, place in nodes_of(desk.projecting):
            yield client, place or address


def _rewrite(
    client: redis.Redis, begin: Callable[[], Any], counter: str, status: str
) -> Literal["rewritten", "failed", "forbidden"]:
    """Begin, once nothing else is being written, and wait until it has ended.

    One that was under way already may have passed what has just been erased.
    """
    _wait_idle(client)
    before = _info(client).get(counter, 0)
    try:
        begin()
    except redis.ResponseError:  # managed stores keep this to themselves
        return "forbidden"
    _wait_idle(client)
    after = _info(client)
    ok = after.get(status) == "ok" and after.get(counter, 0) > before
    return "rewritten" if ok else "failed"


def _wait_idle(client: redis.Redis) -> None:
    names = ("aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress")
    while any(map(_info(client).get, names)):
        time.sleep(LOOK_SECONDS)


def _saves_by_itself(client: redis.Redis) -> bool:
    try:
        told: Any = client.config_get("save")
    except redis.ResponseError:
        return False
    return bool(told.get("save"))


def _info(client: redis.Redis, section: str = "persistence") -> dict[str, Any]:
    return msgspec.convert(client.info(section), dict[str, Any])
