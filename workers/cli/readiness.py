"""Whether a webhook sent now would be applied: what `onfile up` waits for before it says ready."""

import contextlib
import urllib.error
import urllib.request
from collections.abc import Container

import redis
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from service.keys import QUEUE
from service.settings import Settings
from service.stores import connect_patiently, words_of

ANSWER_SECONDS = 0.5
"""A web process that is being started answers late: the connection waits in its socket."""


def obstacle(address: str, settings: Settings, worker_pids: Container[int]) -> str | None:
    """Return what is in the way; None when the web is ready and one of these workers listens."""
    if not _worker_listens(settings, worker_pids):
        return "no worker listens to the queue yet"
    return _what_the_web_lacks(address)


def alive(address: str) -> bool:
    """Tell whether a process of ours answers there."""
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=ANSWER_SECONDS):  # noqa: S310 (our own address)
            return True
    except OSError:
        return False


def store_problem(url: str, timeout: float) -> str | None:
    """Return why a store cannot be used, in the client's words; None when it answers."""
    with connect_patiently(url, socket_timeout=timeout, socket_connect_timeout=timeout) as store:
        try:
            store.ping()
        except redis.RedisError as error:
            return words_of(error)
    return None


def _worker_listens(settings: Settings, pids: Container[int]) -> bool:
    """Look for a worker by its process: one of an earlier run stays registered for a while."""
    with contextlib.suppress(redis.RedisError), connect_patiently(settings.redis_url) as store:
        workers = store.smembers(WORKERS_BY_QUEUE_KEY % QUEUE)
        return any(int(store.hget(worker, "pid") or 0) in pids for worker in workers)
    return False


def _what_the_web_lacks(address: str) -> str | None:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=ANSWER_SECONDS):  # noqa: S310 (our own address)
            return None
    except urllib.error.HTTPError as refusal:
        with refusal:
            return f"the web says: {refusal.read().decode(errors='replace')}"
    except OSError as error:
        return f"the web does not answer yet: {error}"
