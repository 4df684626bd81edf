"""Requests and answers over a real socket: what HTTP promises, whatever an application does."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn

from service.settings import Settings
from workers.http.connection import Connection
from workers.http.crowd import Crowd
from workers.http.reading import UNASKED_BYTES

LARGE = b"x" * 2_000_000
SECONDS = 10

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
ALIVE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


async def say(send: Any, body: bytes, *headers: tuple[bytes, bytes], status: int = 200) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(application: Application, connections: int = 100) -> AsyncIterator[int]:
    """Serve an application as `onfile web` does; gives its port."""
    async with server(application, connections) as (_, port):
        yield port


@asynccontextmanager
async def server(
    application: Application, connections: int = 100
) -> AsyncIterator[tuple[uvicorn.Server, int]]:
    crowd = Crowd(Settings(redis_url="redis://x"), connections)
    config = uvicorn.Config(
        application,
        http=partial(Connection, crowd=crowd),  # type: ignore[arg-type] # it is only called
        ws="none",
        lifespan="off",
        log_config=None,
        interface="asgi3",
    )
    running = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(running.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(SECONDS):
                yield running, listener.getsockname()[1]
        finally:
            running.should_exit = True
            await task


def hear(application: Application, *sent: bytes, half_close: bool = False) -> bytes:
    """Return all that is answered to these pieces before the connection ends."""

    async def conversation() -> bytes:
        async with serving(application) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for piece in sent:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if half_close:
                writer.write_eof()
            heard = await reader.read()
            writer.close()
            return heard

    return asyncio.run(conversation())


def ask(line: bytes = b"GET / HTTP/1.1", *headers: bytes) -> bytes:
    return b"\r\n".join((line, b"Host: x", b"Connection: close", *headers, b"", b""))


async def echo(_scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Say what was said, piece by piece as it came."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    await say(send, body)


async def patient(_scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer a client that is done, or gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    await say(send, b"at last")


async def large(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    await say(send, LARGE)


def test_a_large_answer_arrives_whole_before_the_connection_is_closed() -> None:
    head, _, body = hear(large, ask()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close" in head
    assert body == LARGE


def test_an_answer_in_pieces_goes_out_as_one() -> None:
    async def application(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"6")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})

    assert hear(application, ask()).endswith(b"\r\n\r\nonetwo")


def test_a_body_in_pieces_is_read_as_it_comes_also_where_it_is_large() -> None:
    pieces = [b"%d" % (n % 10) * UNASKED_BYTES for n in range(8)]
    size = b"Content-Length: %d" % (8 * UNASKED_BYTES)
    answer = hear(echo, ask(b"POST / HTTP/1.1", size), *pieces)
    assert answer.partition(b"\r\n\r\n")[2] == b"".join(pieces)


def test_a_body_in_chunks_is_read() -> None:
    head = ask(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked")
    answer = hear(echo, head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nabcde")


def test_a_client_that_waits_to_be_told_to_send_its_body_is_told_once() -> None:
    async def conversation() -> bytes:
        begun = asyncio.Event()

        async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
            async def heard() -> Any:
                message = await receive()
                begun.set()
                return message

            await echo(scope, heard, send)

        async with serving(application) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(ask(b"POST / HTTP/1.1", b"Content-Length: 4", b"Expect: 100-Continue"))
            told = await reader.readuntil(b"\r\n\r\n")
            assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"bo")
            await begun.wait()
            writer.write(b"dy")
            answer = await reader.read()
            writer.close()
            return answer

    answer = asyncio.run(conversation())
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\nbody")


def test_requests_sent_ahead_are_answered_in_their_order_each_with_its_own_body() -> None:
    said = [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n%d" % n for n in range(9)]
    last = ask(b"POST / HTTP/1.1", b"Content-Length: 1") + b"9"
    answers = hear(echo, b"".join(said) + last).split(b"HTTP/1.1 200 OK")[1:]
    assert [int(answer[-1:]) for answer in answers] == list(range(10))


@pytest.mark.parametrize(("line", "status"), [(b"HEAD / HTTP/1.1", 200), (b"GET / HTTP/1.1", 304)])
def test_some_answers_have_no_body(line: bytes, status: int) -> None:
    async def application(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
        await say(send, b"unseen", status=status)

    answer = hear(application, ask(line))
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.endswith(b"\r\n\r\n")


async def fails(_scope: dict[str, Any], _receive: Any, _send: Any) -> None:
    raise RuntimeError("on purpose")


async def says_nothing(_scope: dict[str, Any], _receive: Any, _send: Any) -> None:
    pass


async def splits(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    await say(send, b"", (b"onfile-event", b"evt_1\r\nset-cookie: a=b"))


async def names_badly(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    await say(send, b"", (b"a\x00", b"b"))


async def miscounts(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"9")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"short"})


@pytest.mark.parametrize("application", [fails, says_nothing, splits, names_badly, miscounts])
def test_what_cannot_be_sent_as_it_was_meant_is_answered_with_500(application: Application) -> None:
    alive = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = hear(application, alive)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"connection: close" in answer
    assert b"set-cookie" not in answer
    assert b"api_error" in answer


def test_an_answer_that_says_so_is_the_last() -> None:
    async def application(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
        await say(send, b"bye", (b"connection", b"close"))

    answer = hear(application, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    assert answer.count(b"bye") == 1
    assert answer.count(b"connection: close") == 1


def test_where_there_is_no_room_at_all_a_request_is_told_to_come_again() -> None:
    async def conversation() -> bytes:
        async with serving(echo, connections=0) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(ask())
            answer = await reader.read()
            writer.close()
            return answer

    answer = asyncio.run(conversation())
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"connection: close" in answer


def test_a_request_that_is_coming_when_the_server_ends_is_answered() -> None:
    async def conversation() -> bytes:
        begun = asyncio.Event()

        async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
            begun.set()
            await echo(scope, receive, send)

        async with server(application) as (running, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo")
            await begun.wait()
            for connection in list(running.server_state.connections):
                connection.shutdown()
            writer.write(b"dy")
            answer = await reader.read()
            writer.close()
            return answer

    answer = asyncio.run(conversation())
    assert b"connection: close" in answer
    assert answer.endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize("then", [b"", b"GET / HT", POST + b"Content-Length: 9\r\n\r\nhalf"])
def test_who_says_nothing_more_still_hears_what_it_asked(then: bytes) -> None:
    assert hear(echo, ALIVE * 3 + then, half_close=True).count(b"HTTP/1.1 200") == 3


def test_who_says_nothing_more_may_take_its_time_to_hear() -> None:
    assert hear(large, ALIVE, half_close=True).endswith(LARGE)


def test_the_application_is_told_of_who_says_nothing_more_and_may_answer() -> None:
    assert hear(patient, ALIVE, half_close=True).endswith(b"at last")


@pytest.mark.parametrize(
    "wrong",
    [b"BAD\r\n\r\n", POST + CHUNKED + b"zz\r\n", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"],
)
def test_what_came_before_something_wrong_is_answered(wrong: bytes) -> None:
    answers = hear(large, ALIVE + ALIVE + wrong)
    assert answers.count(b"HTTP/1.1 200") == 2
    assert b"HTTP/1.1 400" not in answers
    assert answers.count(b"connection: close") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        POST + b"Content-Length: 2\r\n" + CHUNKED + b"0\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    ],
    ids=["connect", "no host", "two hosts", "two framings", "two lengths", "folded"],
)
def test_what_might_be_read_in_two_ways_is_refused(wrong: bytes) -> None:
    answer = hear(echo, wrong, ALIVE)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"\r\ndate: " in answer


@pytest.mark.parametrize("then", [b"BAD\r\n\r\n", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_who_is_refused_is_not_refused_again_for_what_comes_with_it(
    then: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nA: " + LARGE[:40_000] + b"\r\n\r\n"
    answer = hear(echo, head + then, half_close=True)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert not caplog.records  # as when a callback of the loop fails


def test_who_is_refused_while_it_still_sends_hears_of_it() -> None:
    assert hear(echo, b"BAD\r\n", *[LARGE] * 4, half_close=True).startswith(b"HTTP/1.1 400 ")


def test_who_is_answered_before_its_body_has_come_hears_the_answer() -> None:
    head = ask(b"POST / HTTP/1.1", b"Content-Length: %d" % (4 * len(LARGE)))
    answer = hear(large, head, *[LARGE] * 4)
    assert answer.endswith(LARGE)


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_an_offer_of_another_protocol_is_ignored(version: bytes) -> None:
    offer = b"Host: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    post = b"POST / HTTP/" + version + b"\r\n" + offer + b"Content-Length: 4\r\n\r\nbody"
    answers = hear(echo, post + ask(b"POST / HTTP/1.1", b"Content-Length: 4") + b"next")
    assert [answer[-4:] for answer in answers.split(b"HTTP/1.1 200")[1:]] == (
        [b"body"] if version == b"1.0" else [b"body", b"next"]
    )


def test_what_comes_after_a_body_is_no_header() -> None:
    seen: list[bytes] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await echo(scope, receive, send)
        seen.extend(name for name, _ in scope["headers"])

    trailer = b"2\r\nhi\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
    answer = hear(application, ask(b"POST / HTTP/1.1", CHUNKED[:-4]) + trailer)
    assert answer.endswith(b"hi")
    assert b"authorization" not in seen


@pytest.mark.parametrize("piece", [b"a: b\r\n" * 10_000, b"x" * 60_000], ids=["many", "one"])
def test_what_comes_after_a_body_has_an_end(piece: bytes) -> None:
    head = POST + CHUNKED + b"0\r\nA: b"
    assert hear(echo, head, *[piece] * 9).startswith(b"HTTP/1.1 431 ")


def test_http_1_0_is_not_told_to_continue() -> None:
    begun = b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert hear(echo, begun, half_close=True) == b""


def test_a_request_on_its_way_when_the_server_ends_is_answered() -> None:
    async def conversation() -> bytes:
        async with server(echo) as (running, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(ALIVE)
            first = await reader.readuntil(b"\r\n\r\n")
            assert b"connection: close" not in first
            for connection in list(running.server_state.connections):
                connection.shutdown()
            writer.write(ALIVE)
            answer = await reader.read()
            writer.close()
            return answer

    answer = asyncio.run(conversation())
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer


def test_http_1_0_gets_one_answer() -> None:
    answer = hear(echo, b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi")
    assert b"connection: close" in answer
    assert answer.endswith(b"hi")


def test_the_application_is_told_when_the_client_leaves() -> None:
    async def conversation() -> tuple[str, str]:
        told: asyncio.Queue[str] = asyncio.Queue()

        async def application(_scope: dict[str, Any], receive: Any, _send: Any) -> None:
            for _ in range(2):
                told.put_nowait((await receive())["type"])

        async with serving(application) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            first = await told.get()
            writer.close()
            return first, await told.get()

    assert asyncio.run(conversation()) == ("http.request", "http.disconnect")


def test_what_is_asked_is_told_as_asgi_says() -> None:
    seen: dict[str, Any] = {}

    async def application(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        seen.update(scope)
        await say(send, b"")

    hear(application, ask(b"GET /a%20b?c=%20d HTTP/1.1", b"X-Two: 1", b"X-Two: \t2 \t"))
    assert (seen["path"], seen["raw_path"], seen["query_string"]) == ("/a b", b"/a%20b", b"c=%20d")
    assert (seen["method"], seen["http_version"], seen["root_path"]) == ("GET", "1.1", "")
    assert [value for name, value in seen["headers"] if name == b"x-two"] == [b"1", b"2"]
    assert seen["client"][0] == "127.0.0.1"
