"""When answers are written: together, whole, in their order, and to nobody who has left."""

import asyncio
from typing import Any

from workers.http.outgoing import Outgoing


class Wire(asyncio.Transport):
    """Notes what reaches the socket."""

    def __init__(self, written: list[bytes]) -> None:
        super().__init__()
        self.written = written
        self.closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True


class Ended(Wire):
    """Takes no more, and says so only when it is given something."""

    def write(self, data: Any) -> None:
        raise RuntimeError(f"not after the end: {data!r}")


def test_what_one_turn_of_the_loop_answers_is_written_when_it_is_over() -> None:
    async def turns() -> list[bytes]:
        written: list[bytes] = []
        here, there, outgoing = Wire(written), Wire(written), Outgoing()
        for turn in (b"1", b"2"):
            outgoing.write(here, b"here " + turn)
            outgoing.write(there, b"there " + turn)
            outgoing.write(here, b"again " + turn)
            assert len(written) == 3 * (turn == b"2")
            await asyncio.sleep(0)
        return written

    written = asyncio.run(turns())
    assert written == [b"here 1", b"there 1", b"again 1", b"here 2", b"there 2", b"again 2"]


def test_nothing_is_written_twice_and_nothing_to_a_client_that_has_left() -> None:
    async def turn() -> list[bytes]:
        written: list[bytes] = []
        here, gone, outgoing = Wire(written), Wire(written), Outgoing()
        outgoing.write(here, b"last words")
        outgoing.write(gone, b"too late")
        gone.closed = True
        outgoing.flush()
        await asyncio.sleep(0)
        return written

    assert asyncio.run(turn()) == [b"last words"]


def test_a_client_that_cannot_be_written_to_costs_no_other_its_answer() -> None:
    async def turn() -> tuple[list[bytes], bool]:
        written: list[bytes] = []
        here, ended, outgoing = Wire(written), Ended(written), Outgoing()
        outgoing.write(ended, b"too late")
        outgoing.write(here, b"an answer")
        outgoing.flush()
        return written, ended.closed

    assert asyncio.run(turn()) == ([b"an answer"], True)
