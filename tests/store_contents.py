"""Everything a store holds, in its keys and in its files, each part also as it is decompressed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.compression import UnreadableError, decompress
from service.documents import VERSION_BYTES

FRAME_START = b"\x28\xb5\x2f\xfd"
LONGEST_FRAME_BYTES = 4096
"""The frames of these tests are shorter; what follows one is not read."""


def in_keys(client: Any) -> bytes:
    """Return every key, field and value."""
    parts = (part for key in client.scan_iter(count=1000) for part in (key, *_parts(client, key)))
    return b"\n".join(map(_readable, parts))


def in_files(folder: Path) -> bytes:
    """Return the store's files, and what can be read of every frame in them."""
    files = [path for path in folder.rglob("*.aof*") if path.is_file()]
    return b"\n".join(part for path in files for part in _with_frames(path.read_bytes()))


def _parts(client: Any, key: bytes) -> Iterator[bytes]:
    match client.type(key):
        case b"string":
            value = client.get(key)
            yield from (value, value[VERSION_BYTES:])
        case b"stream":
            for _, fields in client.xrange(key):
                yield from fields.values()
        case b"hash":
            for pair in client.hgetall(key).items():
                yield from pair
        case b"list":
            yield from client.lrange(key, 0, -1)
        case b"zset":
            yield from client.zrange(key, 0, -1)
        case b"set":
            yield from client.smembers(key)


def _with_frames(data: bytes) -> Iterator[bytes]:
    yield data
    start = data.find(FRAME_START)
    while start >= 0:
        yield _readable(data[start : start + LONGEST_FRAME_BYTES])
        start = data.find(FRAME_START, start + 1)


def _readable(value: bytes) -> bytes:
    try:
        return decompress(value)
    except UnreadableError:
        return value
