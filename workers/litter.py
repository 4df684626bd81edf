"""What others left in RQ's keys: taken out of the way, so that no worker stumbles over it.

Whoever has the store's password can write anything there. A key of another type than RQ's is laid
aside for a person to look at; what is no id of ours among ids is dropped. Neither holds an event:
those lie in the log, and the workers ring for what is pending there.
"""

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

import redis
import structlog
from rq import Queue
from rq.registry import (
    BaseRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from rq.worker import BaseWorker
from rq.worker_registration import REDIS_WORKER_KEYS, WORKERS_BY_QUEUE_KEY

from service.doorbell import QUEUE_KEY, REPLAY_QUEUE_KEY
from service.keys import FOREIGN, QUEUE, REPLAY_QUEUE
from workers.event_job import ID, shown

PIECE = 1_000
"""Members read in one step."""

REGISTRIES: tuple[type[BaseRegistry], ...] = (
    StartedJobRegistry,
    FinishedJobRegistry,
    FailedJobRegistry,
)
"""In which our jobs lie while RQ must look after them; those that are scheduled, we do."""

_SORTED = [
    ScheduledJobRegistry.key_template.format(QUEUE),
    *(kind.key_template.format(name) for kind in REGISTRIES for name in (QUEUE, REPLAY_QUEUE)),
]
_WORKERS = [REDIS_WORKER_KEYS, *(WORKERS_BY_QUEUE_KEY % name for name in (QUEUE, REPLAY_QUEUE))]

TYPES = (
    dict.fromkeys((QUEUE_KEY, REPLAY_QUEUE_KEY), "list")
    | dict.fromkeys((Queue.redis_queues_keys, *_WORKERS), "set")
    | dict.fromkeys(_SORTED, "zset")
)
"""The type of each of RQ's keys whose name others can know beforehand."""

_MEMBER = re.compile(ID.pattern + r"(?::[0-9a-f]{1,64})?")
"""A job's id, and of those under way the number of the execution."""

_WORKER = re.compile(re.escape(BaseWorker.redis_worker_namespace_prefix) + r"[!-~]{1,255}")

log = structlog.get_logger()


def clear(client: redis.Redis) -> None:
    """Take out of RQ's keys all that is none of ours; as long as their members are many."""
    clear_keys(client)
    for key in _SORTED:
        members = (member for member, _ in client.zscan_iter(key, count=PIECE))
        _drop(key, (one for one in members if not _is(_MEMBER, one)), client.zrem)


def clear_keys(client: redis.Redis) -> None:
    """Lay aside what is of another type, and strike off what is no worker: that is quick."""
    set_aside(client)
    for key in _WORKERS:
        named: list[Any] = list(client.sscan_iter(key, count=PIECE))
        kinds = _types(client, named)
        strangers = (
            one for one in named if not _is(_WORKER, one) or kinds[one] not in {"hash", "none"}
        )
        _drop(key, strangers, client.srem)


def set_aside(client: redis.Redis) -> None:
    """Rename each key of another type than RQ's; the one of that name laid aside before goes."""
    for key, kind in mistyped(client).items():
        try:
            client.rename(key, FOREIGN + key)
        except redis.ResponseError:  # another worker was faster
            continue
        log.error("queue.set_aside", key=key, type=kind, kept_as=FOREIGN + key, advice=_ADVICE)


def mistyped(client: redis.Redis) -> dict[str, str]:
    """Return the keys of RQ's that are not of their type, and of which they are."""
    return {
        key: kind for key, kind in _types(client, TYPES).items() if kind not in {"none", TYPES[key]}
    }


def laid_aside(client: redis.Redis) -> list[str]:
    """Return the keys under which something was laid aside and still lies."""
    kinds = _types(client, [FOREIGN + key for key in TYPES])
    return [key for key, kind in kinds.items() if kind != "none"]


_Key = TypeVar("_Key", str, bytes)

_ADVICE = "somebody else writes to this store: onfile doctor says what to do"


def _types(client: redis.Redis, keys: Collection[_Key]) -> dict[_Key, str]:
    with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.type(key)
        return {key: kind.decode() for key, kind in zip(keys, pipe.execute(), strict=True)}


def _is(ours: re.Pattern[str], member: Any) -> bool:  # noqa: ANN401 - bytes, as redis-py reads
    return ours.fullmatch(member.decode(errors="replace")) is not None


def _drop(key: str, members: Iterable[bytes], remove: Callable[..., Any]) -> None:
    for member in members:
        remove(key, member)
        log.warning("queue.dropped", key=key, member=shown(member), advice=_ADVICE)
