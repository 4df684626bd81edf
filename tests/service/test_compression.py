"""Compression: smaller, exactly reversible, and readable for as long as anything is stored."""

import json
from collections import Counter
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from service import compression
from service.compression import UnknownDictionaryError, UnreadableError, compress, decompress

DATA = Path(__file__).parents[1] / "data"
DICTIONARIES = Path(compression.__file__).parent / "dictionaries"


@given(st.binary())
def test_what_was_compressed_comes_back_as_it_was(data: bytes) -> None:
    assert decompress(compress(data)) == data


def test_a_body_that_was_stored_plain_is_read_as_it_is() -> None:
    assert decompress(b'{"id": "evt_1"}') == b'{"id": "evt_1"}'


def test_every_frame_names_its_dictionary() -> None:
    event, document = compress(b'{"id": "evt_1"}'), compress(b"\x92\x97")
    assert zstandard.get_frame_parameters(event).dict_id == compression.EVENTS_ID
    assert zstandard.get_frame_parameters(document).dict_id == compression.DOCUMENTS_ID


@pytest.mark.parametrize("file", sorted(DICTIONARIES.glob("*.zdict")), ids=lambda file: file.stem)
def test_every_dictionary_is_named_by_its_id_and_still_read(file: Path) -> None:
    dictionary = zstandard.ZstdCompressionDict(file.read_bytes())
    assert dictionary.dict_id() == int(file.stem)
    frame = zstandard.ZstdCompressor(dict_data=dictionary).compress(b'{"id": "evt_1"}')
    assert decompress(frame) == b'{"id": "evt_1"}'


def test_a_frame_without_a_dictionary_is_read() -> None:
    assert decompress(zstandard.ZstdCompressor().compress(b"abc")) == b"abc"


def test_a_frame_of_an_unknown_dictionary_says_which_one_it_needs() -> None:
    pool: list[bytes | bytearray | memoryview[int]] = [
        json.dumps({"id": n, "text": "x" * (n % 7)}).encode() for n in range(1000)
    ]
    other = zstandard.train_dictionary(2048, pool, dict_id=compression.IDS[-1])
    frame = zstandard.ZstdCompressor(dict_data=other).compress(bytes(pool[0]))
    with pytest.raises(UnknownDictionaryError, match="100100"):
        decompress(frame)


@pytest.mark.parametrize("data", [b"", b"junk", compress(b'{"id": "evt_1"}')[:-3]])
def test_damaged_bytes_are_said_to_be_so(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        decompress(data)


def test_no_bit_of_a_frame_s_head_asks_for_all_memory_or_mostly_for_another_program() -> None:
    body = b'{"id": "evt_1", "text": "' + b"x" * 300 + b'"}'
    frame = compress(body)
    said: Counter[object] = Counter()
    for at in range(4, 11):  # what is behind the magic number and before the first block
        for bit in range(8):
            changed = bytearray(frame)
            changed[at] ^= 1 << bit
            try:
                said[decompress(bytes(changed)) == body] += 1
            except UnreadableError as error:
                said[type(error)] += 1
    assert said.keys() == {True, UnreadableError, UnknownDictionaryError}
    assert said[True] == 1, "one bit means nothing"
    assert said[UnknownDictionaryError] < 8
