import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from workers.cli.joined_writes import JoinedWritesProtocol, _JoinedWrites

BODY = b"x" * 200_000


class Wire(asyncio.Transport):
    """Notes what reaches the socket, and when it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def test_what_one_turn_of_the_loop_writes_goes_out_at_once() -> None:
    async def write() -> Wire:
        wire = Wire()
        joined = _JoinedWrites(wire)
        for answer in (b"1", b"2"):
            joined.write(b"head " + answer)
            joined.write(b"body " + answer)
            await asyncio.sleep(0)
        return wire

    assert asyncio.run(write()).sent == [b"head 1body 1", b"head 2body 2"]


def test_what_was_written_goes_out_before_the_connection_is_closed() -> None:
    async def write() -> Wire:
        wire = Wire()
        joined = _JoinedWrites(wire)
        joined.write(b"last words")
        joined.close()
        assert wire.sent == [b"last words"]
        await asyncio.sleep(0)
        return wire

    wire = asyncio.run(write())
    assert wire.closed
    assert wire.sent == [b"last words"]


def test_nothing_is_written_into_a_connection_that_the_client_has_closed() -> None:
    async def write() -> Wire:
        wire = Wire()
        joined = _JoinedWrites(wire)
        joined.write(b"too late")
        wire.closed = True
        await asyncio.sleep(0)
        return wire

    assert not asyncio.run(write()).sent


@pytest.mark.parametrize("path", ["/whole", "/streamed"])
def test_large_and_streamed_answers_arrive_whole_also_where_the_connection_closes(
    path: str,
) -> None:
    ask = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()

    async def conversation(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ask)
        answer = await reader.read()
        writer.close()
        return answer

    answer = asyncio.run(_served(conversation))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"x" * 100) >= len(BODY) // 100 - 2


def test_requests_sent_before_the_first_answer_are_answered_in_their_order() -> None:
    async def conversation(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(b"GET /say/%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(3)))
        answers = b"".join([await reader.readuntil(b"said %d" % n) for n in range(3)])
        writer.close()
        return answers

    assert asyncio.run(_served(conversation)).count(b"200 OK") == 3


async def _whole(_request: Request) -> Response:
    return Response(BODY)


async def _say(request: Request) -> Response:
    return Response(f"said {request.path_params['number']}")


async def _streamed(_request: Request) -> Response:
    return StreamingResponse(iter([BODY[:100_000], BODY[100_000:]]))


async def _served(conversation: Callable[[int], Awaitable[bytes]]) -> bytes:
    app = Starlette(
        routes=[
            Route("/whole", _whole),
            Route("/streamed", _streamed),
            Route("/say/{number}", _say),
        ]
    )
    config = uvicorn.Config(
        app, http=JoinedWritesProtocol, ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            return await asyncio.wait_for(conversation(listener.getsockname()[1]), timeout=10)
        finally:
            server.should_exit = True
            await serving
