"""Everything a store holds, in its keys and in its files, each part also as it is read.

What is encrypted is decrypted with the keys that are in force in the process of the test.
"""

import zlib
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from service.compression import UnreadableError, decompress
from service.documents import VERSION_BYTES, opened
from service.keys import LOG, LOG_COPY
from service.log.entry import read_entry

FRAME_START = b"\x28\xb5\x2f\xfd"
LONGEST_FRAME_BYTES = 4096
"""The frames of these tests are shorter; what follows one is not read."""


def in_keys(client: Any) -> bytes:
    """Return every key, field and value."""
    parts = (part for key in client.scan_iter(count=1000) for part in (key, *_parts(client, key)))
    return b"\n".join(map(_readable, parts))


def in_files(folder: Path) -> bytes:
    """Return the store's files, and what can be read of every frame in them."""
    patterns = ("*.aof*", "*.rdb")
    files = {path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()}
    return b"\n".join(part for path in files for part in _with_frames(path.read_bytes()))


def _parts(client: Any, key: bytes) -> Iterator[bytes]:
    match client.type(key):
        case b"string":
            value = client.get(key)
            yield from (value, opened(key.decode(), value)[VERSION_BYTES:])
        case b"stream":
            for item in client.xrange(key):
                yield from item[1].values()
                if key.decode() in {LOG, LOG_COPY}:
                    with suppress(UnreadableError):
                        yield read_entry(item).body
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
    """Return a value decompressed as we do it, or as RQ does it with jobs and their errors."""
    with suppress(UnreadableError):
        return decompress(value)
    for coded in (bytes, b64decode):
        with suppress(ValueError, zlib.error):
            return zlib.decompress(coded(value))
    return value
