"""Compression: smaller, exactly reversible, and readable for as long as anything is stored."""

import json
import threading
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from service import compression
from service.compression import UnknownDictionaryError, UnreadableError, compress, decompress
from service.dictionaries import samples

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
    other = zstandard.train_dictionary(2048, pool, dict_id=777_777)
    frame = zstandard.ZstdCompressor(dict_data=other).compress(bytes(pool[0]))
    with pytest.raises(UnknownDictionaryError, match="777777"):
        decompress(frame)


@pytest.mark.parametrize("data", [b"", b"junk", compress(b'{"id": "evt_1"}')[:-3]])
def test_damaged_bytes_are_said_to_be_so(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        decompress(data)


def test_events_and_documents_of_unseen_contents_shrink_to_a_fifth() -> None:
    for bodies in (samples.events(DATA, 4711, 200), samples.documents(DATA, 4711, 200)):
        assert sum(map(len, map(compress, bodies))) < sum(map(len, bodies)) / 5


def test_recorded_events_with_new_contents_take_less_than_300_bytes() -> None:
    bodies = samples.recorded_events(DATA, 4711)
    assert sum(len(compress(body)) for body in bodies) / len(bodies) < 300


def test_many_threads_may_compress_at_once() -> None:
    bodies = samples.events(DATA, 5, 50)
    wrong: list[bytes] = []

    def work() -> None:
        wrong.extend(body for body in bodies * 20 if decompress(compress(body)) != body)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work()  # what this thread prepared must have outlived the others
    assert wrong == []
