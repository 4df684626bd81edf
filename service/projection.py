"""The projection's two steps, for those who write it: load documents, commit by compare-and-set.

A document stands for itself: on a cluster every step touches one key, so one slot, and they go out
in one pipeline. Elsewhere one command does for many, which costs either side a third.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from redis import Redis, RedisCluster
from redis.exceptions import NoScriptError

from service.documents import VERSION_BYTES

SCAN_KEYS = 500
"""Looked at in one step of a scan: a fraction of a millisecond of the store's time."""

LOADED_TOGETHER = 500
COMMITTED_TOGETHER = 100
"""A command blocks the store while it runs: either takes it half a millisecond."""

T = TypeVar("T")


class Write(NamedTuple):
    """A document to store, if what is stored is still the version it was made from."""

    key: str
    expected: int
    """The version it was made from; 0 where there was none."""
    value: bytes


class Projection:
    """All documents, in the store of the projection."""

    def __init__(self, client: Redis | RedisCluster) -> None:
        self._client = client
        self._cluster = client if isinstance(client, RedisCluster) else None
        self._sha = ""

    def load(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the stored documents, None where there is none."""
        if not keys:
            return []
        pipeline = self._client.pipeline(transaction=False)
        if self._cluster:
            for key in keys:
                pipeline.get(key)
            return _answers(pipeline.execute(raise_on_error=False))
        for some in _parts(keys, LOADED_TOGETHER):
            pipeline.mget(some)
        return list(chain.from_iterable(_answers(pipeline.execute(raise_on_error=False))))

    def commit(self, writes: Sequence[Write]) -> list[bool]:
        """Store each document whose stored version is the expected one; tell which were stored.

        Sending a write twice is harmless: the second time the version no longer fits, and the
        document it meets is the one it wrote.
        """
        if not writes:
            return []
        try:
            return self._send(writes)
        except NoScriptError:
            self._sha = ""
            return self._send(writes)

    def overwrite(self, key: str, value: bytes) -> None:
        """Store a document whatever lies there: in the place of one that nobody can read."""
        self._client.set(key, value)

    def keys(self, pattern: str) -> Iterator[str]:
        """Yield the keys of this pattern, of all nodes; one may come twice.

        A document that is there from the beginning to the end is found; the store goes on
        serving others meanwhile.
        """
        for key in self._client.scan_iter(match=pattern, count=SCAN_KEYS):
            yield key.decode()

    def _send(self, writes: Sequence[Write]) -> list[bool]:
        if not self._sha:
            self._sha = str(self._client.script_load(commit_script()))
        pipeline = self._client.pipeline(transaction=False)
        for some in _parts(writes, 1 if self._cluster else COMMITTED_TOGETHER):
            keys = [write.key for write in some]
            values = [value for write in some for value in (_expected(write), write.value)]
            node = self._node(keys[0])
            pipeline.execute_command("EVALSHA", self._sha, len(keys), *keys, *values, **node)
        replies = _answers(pipeline.execute(raise_on_error=False))
        return [stored == 1 for stored in chain.from_iterable(replies)]

    def _node(self, key: str) -> dict[str, Any]:
        """Name the node of a key: left to itself, the client asks the cluster about each script."""
        if self._cluster:
            node = self._cluster.get_node_from_key(key)  # type: ignore[no-untyped-call]
            return {"target_nodes": node}
        return {}


def _expected(write: Write) -> bytes:
    return write.expected.to_bytes(VERSION_BYTES, "big") if write.expected else b""


def _parts(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


def _answers(replies: list[Any]) -> list[Any]:
    """Raise the first error there is, in its own words: the client's would show the document."""
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


@cache
def commit_script() -> str:
    """Return the compare-and-set script."""
    return files("service").joinpath("lua/commit.lua").read_text()
