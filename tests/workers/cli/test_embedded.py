"""The embedded store: where it listens, and its last words."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from workers.cli.embedded import PORTS, answers, choose_url, last_words


def test_it_listens_where_it_did_the_last_time() -> None:
    kept = choose_url({})
    assert urlsplit(kept).port in PORTS
    assert choose_url({"REDIS_URL": kept}) == kept


def test_it_listens_elsewhere_when_somebody_took_its_place() -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        kept = f"redis://127.0.0.1:{somebody.getsockname()[1]}/0"
        assert choose_url({"REDIS_URL": kept}) != kept
        somebody.settimeout(0)
        assert not answers(kept), "something listens there, but it is no store"


@pytest.mark.parametrize("kept", ["redis://production:6379/0", "redis://127.0.0.1", "nonsense"])
def test_the_address_of_another_store_is_not_taken_for_its_own(kept: str) -> None:
    assert choose_url({"REDIS_URL": kept}).startswith("redis://127.0.0.1:")
    assert choose_url({"REDIS_URL": kept}) != kept


def test_its_last_words_are_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\xff\n" + b"".join(b"%d\n" % n for n in range(9)))
    assert last_words(log) == "4\n5\n6\n7\n8"
