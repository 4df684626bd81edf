"""Lines to a reader that is behind: they wait for it, in order, and nobody else does."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.watch import outlet
from service.watch.outlet import WAITING_BYTES, Outlet

LINE = "x" * 300


class Pipe:
    """Both ends of a pipe; the reading end takes only what it is told to."""

    def __init__(self) -> None:
        self.reading, writing = os.pipe()
        os.set_blocking(self.reading, False)
        self.file = os.fdopen(writing, "w")
        self.out = Outlet(self.file)

    def say(self, count: int) -> None:
        for number in range(count):
            self.out.write(f'{{"n":{number},"said":"{LINE}"}}\n')
            self.out.flush()

    def read_all(self) -> list[dict[str, int]]:
        found = b""
        while True:
            try:
                found += os.read(self.reading, 1 << 16)
            except BlockingIOError:
                return [json.loads(line) for line in found.splitlines()]
            self.out.flush()


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    monkeypatch.setattr(outlet, "PATIENCE_SECONDS", 0.01)
    pipe = Pipe()
    yield pipe
    pipe.file.close()
    os.close(pipe.reading)


@pytest.mark.parametrize("blocking", [True, False])
def test_lines_wait_in_order_for_a_reader_that_is_behind(pipe: Pipe, *, blocking: bool) -> None:
    os.set_blocking(pipe.file.fileno(), blocking)
    pipe.say(1000)
    assert [line["n"] for line in pipe.read_all()] == list(range(1000))


def test_lines_beyond_what_is_kept_are_counted(pipe: Pipe) -> None:
    said = 2 * WAITING_BYTES // len(LINE)
    pipe.say(said)
    *kept, last = pipe.read_all()
    assert [line["n"] for line in kept] == list(range(len(kept)))
    assert last["lines"] == said - len(kept) > 0


def test_at_the_end_a_reader_that_comes_back_hears_what_waits(pipe: Pipe) -> None:
    pipe.say(2 * WAITING_BYTES // len(LINE))
    os.set_blocking(pipe.reading, True)
    found: list[bytes] = []
    reader = threading.Thread(
        target=lambda: found.extend(iter(lambda: os.read(pipe.reading, 1 << 16), b""))
    )
    reader.start()
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(outlet, "PATIENCE_SECONDS", 10)
        pipe.out.drain()
    pipe.file.close()
    reader.join()
    assert b"".join(found).splitlines()[-1].startswith(b'{"level":"warning"')


def test_after_that_all_goes_on(pipe: Pipe) -> None:
    pipe.say(2 * WAITING_BYTES // len(LINE))
    pipe.read_all()
    pipe.say(3)
    assert [line["n"] for line in pipe.read_all()] == [0, 1, 2]


def test_many_lines_at_once_arrive_whole(pipe: Pipe) -> None:
    pipe.out.write(f'{{"n":1,"said":"{LINE}"}}\n' * 100)
    pipe.out.flush()
    assert [line["n"] for line in pipe.read_all()] == [1] * 100


def test_a_line_larger_than_the_pipe_waits_too(pipe: Pipe) -> None:
    pipe.out.write(f'{{"n":1,"said":"{LINE * 1000}"}}\n')
    pipe.out.flush()
    assert [line["n"] for line in pipe.read_all()] == [1]


def test_what_is_taken_in_part_or_not_at_all_is_said_once(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, room = os.write, iter([0, 10, 0, 300])

    def grudging(file: int, piece: bytes) -> int:
        size = next(room, len(piece))
        if not size:
            raise BlockingIOError
        return write(file, piece[:size])

    monkeypatch.setattr(os, "write", grudging)
    pipe.say(5)
    assert [line["n"] for line in pipe.read_all()] == list(range(5))


def test_a_reader_that_left_is_an_error_for_who_writes(pipe: Pipe) -> None:
    os.close(pipe.reading)
    pipe.out.write("gone\n")
    with pytest.raises(BrokenPipeError):
        pipe.out.flush()
    pipe.reading = os.open(os.devnull, os.O_RDONLY)


def test_what_waits_is_said_once_by_a_process_that_forks(pipe: Pipe) -> None:
    pipe.say(1000)
    if not (child := os.fork()):
        pipe.out.drain()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert [line["n"] for line in pipe.read_all()] == list(range(1000))


def test_a_pipe_is_no_terminal(pipe: Pipe) -> None:
    assert not pipe.out.isatty()


def test_what_is_no_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        assert outlet.outlet(file) is file
