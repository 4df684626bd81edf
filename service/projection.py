"""The projection's two steps, for those who write it: load documents, commit by compare-and-set.

A document stands for itself: on a cluster every step touches one key, so one slot, and they go out
in one pipeline. Elsewhere one command does for many, which costs either side a third.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain, islice
from typing import Any, NamedTuple, TypeAlias, TypeVar

from redis import Redis, RedisCluster
from redis.exceptions import NoScriptError

from service.ahead import Ahead
from service.documents import VERSION_BYTES, opened, sealed
from service.drop import KEEP_ALL, Drop

SCAN_KEYS = 500
"""Looked at in one step of a scan: a fraction of a millisecond of the store's time."""

LOADED_TOGETHER = 500
COMMITTED_TOGETHER = 100
"""A command blocks the store while it runs: either takes it half a millisecond."""

Script: TypeAlias = tuple[str, str]
"""How a script is run: EVALSHA with its name, or EVAL with itself."""

T = TypeVar("T")


class Write(NamedTuple):
    """A document to store, if what is stored is still the version it was made from."""

    key: str
    expected: int
    """The version it was made from; 0 where there was none."""
    value: bytes


class Projection:
    """All documents, in the store of the projection."""

    def __init__(self, client: Redis | RedisCluster, drop: Drop = KEEP_ALL) -> None:
        self.drop = drop
        """What no document may hold; those stored before that was set may still."""
        self._client = client

    def load(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the documents, None where there is none; what cannot be opened is still sealed."""
        values = self.load_stored(keys)
        return [value and opened(key, value) for key, value in zip(keys, values, strict=True)]

    def load_stored(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the documents as they lie in the store, None where there is none."""
        if not keys:
            return []
        pipeline = self._client.pipeline(transaction=False)
        if isinstance(self._client, RedisCluster):
            for key in keys:
                pipeline.get(key)
            return _answers(pipeline.execute(raise_on_error=False))
        for some in _parts(keys, LOADED_TOGETHER):
            pipeline.mget(some)
        return list(chain.from_iterable(_answers(pipeline.execute(raise_on_error=False))))

    def commit(self, writes: Iterable[Write]) -> list[bool]:
        """Store each document whose stored version is the expected one; tell which were stored.

        They may be made as they are taken: while one hundred is, the store has the hundred before.
        Sending a write twice is harmless: the second time the version no longer fits, and the
        document it meets is the one it wrote.
        """
        sent: list[Write] = []
        try:
            return self._send(writes, sent)
        except NoScriptError:
            self._client.script_load(commit_script())
            return self._send(sent, [], ("EVAL", commit_script()))  # lest it is forgotten again

    def overwrite(self, key: str, value: bytes) -> None:
        """Store a document whatever lies there: in the place of one that nobody can read."""
        self._client.set(key, sealed(key, value))

    def keys(self, pattern: str) -> Iterator[str]:
        """Yield the keys of this pattern, of all nodes; one may come twice.

        A document that is there from the beginning to the end is found; the store goes on
        serving others meanwhile.
        """
        for key in self._client.scan_iter(match=pattern, count=SCAN_KEYS):
            yield key.decode()

    def _send(
        self, writes: Iterable[Write], sent: list[Write], script: Script | None = None
    ) -> list[bool]:
        """Send what is not sent yet, note it, and tell which were stored."""
        script = script or ("EVALSHA", commit_sha())
        if isinstance(self._client, RedisCluster):
            sent += writes
            replies = _to_slots(self._client, sent, script)
        else:
            replies = _to_one(self._client, writes, sent, script)
        return [stored == 1 for stored in chain.from_iterable(_answers(replies))]


def _to_one(client: Redis, writes: Iterable[Write], sent: list[Write], script: Script) -> list[Any]:
    with Ahead(client) as ahead:
        for some in _parts(writes, COMMITTED_TOGETHER):
            sent += some
            ahead.send(*_command(some, script))
        return ahead.replies()


def _to_slots(cluster: RedisCluster, writes: Sequence[Write], script: Script) -> list[Any]:
    """Name the node of each: left to itself, the client asks the cluster about each script."""
    pipeline: Any = cluster.pipeline(transaction=False)  # type: ignore[no-untyped-call]
    for write in writes:
        node = cluster.get_node_from_key(write.key)  # type: ignore[no-untyped-call]
        pipeline.execute_command(*_command([write], script), target_nodes=node)
    replies: list[Any] = pipeline.execute(raise_on_error=False)
    return replies


def _command(writes: Sequence[Write], script: Script) -> list[str | bytes | int]:
    keys = [write.key for write in writes]
    values = [
        value for write in writes for value in (_expected(write), sealed(write.key, write.value))
    ]
    return [*script, len(keys), *keys, *values]


def _expected(write: Write) -> bytes:
    return write.expected.to_bytes(VERSION_BYTES, "big") if write.expected else b""


def _parts(whole: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(whole)
    while part := list(islice(rest, size)):
        yield part


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


@cache
def commit_sha() -> str:
    """Return the name under which a store that has loaded the script knows it."""
    return hashlib.sha1(commit_script().encode(), usedforsecurity=False).hexdigest()
