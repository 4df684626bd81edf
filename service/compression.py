"""Compress event bodies and documents with zstd and trained dictionaries.

Every frame carries its dictionary's id. A new dictionary is another file; the ids below are those
to write with, and every file is read with, for as long as anything lies in a store.
"""

import threading
from importlib.resources import files

import zstandard

EVENTS_ID = 100_001
DOCUMENTS_ID = 100_002
"""Stripe's events come indented and documents hold JSON without white space: each wants its own
dictionary. With the other's, or with one for both, a document is twice as large."""

IDS = range(100_001, 100_101)
"""Of all dictionaries there are or will be; a frame that names any other is damaged. Those below
32,768 are reserved by the format's registry."""

LEVEL = 3
"""Against level 1 some 8 % smaller for half a microsecond more; level 6 takes five times longer."""

BLOCK_BYTES, LEAST_BLOCK_BYTES = 128 * 1024, 4
"""What a block of a frame holds at most, and how large it is at least: a frame that says it holds
more is damaged, and believing it would take all the memory there is."""

JSON_START = b"{"
"""How every event body begins, and so one that was stored plain; a zstd frame begins otherwise."""


class UnreadableError(Exception):
    """The stored bytes are not what compress returned."""


class LackingError(UnreadableError):
    """Nothing is wrong with the stored bytes, but this process lacks what it takes to read them."""


class UnknownDictionaryError(LackingError):
    """The stored bytes need a dictionary that this version of the program does not have."""

    def __init__(self, dictionary_id: int) -> None:
        super().__init__(
            f"dictionary {dictionary_id} is not in service/dictionaries: "
            "run a version of Onfile that has it, they are never taken away"
        )
        self.dictionary_id = dictionary_id


def compress(data: bytes) -> bytes:
    """Return the bytes as one zstd frame, written for an event if they are JSON."""
    if data.startswith(JSON_START):
        return _LOCAL.events.compress(data)
    return _LOCAL.documents.compress(data)


def decompress(data: bytes) -> bytes:
    """Return what was given to compress, or the bytes themselves where they are plain JSON.

    Raises:
        UnknownDictionaryError: they were compressed by a newer version.
        UnreadableError: they are damaged.

    """
    if data.startswith(JSON_START):
        return data
    try:
        frame = zstandard.get_frame_parameters(data)
        if frame.content_size > len(data) // LEAST_BLOCK_BYTES * BLOCK_BYTES:
            raise UnreadableError("it is damaged: no frame of its size holds so much")
        return _LOCAL.decompressor(frame.dict_id).decompress(data)
    except zstandard.ZstdError as error:
        raise UnreadableError(str(error)) from None


def _load() -> dict[int, zstandard.ZstdCompressionDict]:
    return {
        int(file.name.removesuffix(".zdict")): zstandard.ZstdCompressionDict(file.read_bytes())
        for file in (files("service") / "dictionaries").iterdir()
        if file.name.endswith(".zdict")
    }


_DICTIONARIES = _load()
for _written_with in (EVENTS_ID, DOCUMENTS_ID):
    # once and for all threads: doing it again would free what another thread's compressor uses
    _DICTIONARIES[_written_with].precompute_compress(level=LEVEL)


class _Local(threading.local):
    """A thread's own compressors: two threads in one of them at once would damage both."""

    def __init__(self) -> None:
        self.events = _compressor(EVENTS_ID)
        self.documents = _compressor(DOCUMENTS_ID)
        self._decompressors = {0: zstandard.ZstdDecompressor()}

    def decompressor(self, dictionary_id: int) -> zstandard.ZstdDecompressor:
        if dictionary_id not in self._decompressors:
            if dictionary_id not in IDS:
                raise UnreadableError("it is damaged: no dictionary has such an id")
            if dictionary_id not in _DICTIONARIES:
                raise UnknownDictionaryError(dictionary_id)
            self._decompressors[dictionary_id] = zstandard.ZstdDecompressor(
                dict_data=_DICTIONARIES[dictionary_id]
            )
        return self._decompressors[dictionary_id]


def _compressor(dictionary_id: int) -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=_DICTIONARIES[dictionary_id])


_LOCAL = _Local()
