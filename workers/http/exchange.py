"""One request and its answer: what stands between a connection's bytes and the application.

An answer goes out whole, in one write, for none of ours is streamed. uvicorn's own way, header by
header with every case that HTTP has, was a fifth of a query.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog

from workers.http.scopes import Scope

if TYPE_CHECKING:
    from workers.http.connection import Connection

Message: TypeAlias = MutableMapping[str, Any]
Application: TypeAlias = Callable[[Scope, Any, Any], Awaitable[None]]
Headers: TypeAlias = Iterable[tuple[bytes, bytes]]

STATUS_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase}".encode() for one in HTTPStatus}
WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)

PRINTABLE = bytes({0x09, *range(0x20, 0x100)} - {0x7F})
"""What a header may hold (RFC 9110, 5.5); with the end of a line in it another would begin."""

LENGTH = b"\r\ncontent-length: %d\r\n"
CLOSE = b"connection: close\r\n"
LAST = b"\r\n" + CLOSE
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

FAILED = b'{"error":{"type":"api_error","message":"Something went wrong inside Onfile."}}'
FAILED_HEADERS = (
    (b"content-type", b"application/json"),
    (b"content-length", b"%d" % len(FAILED)),
)

log = structlog.get_logger()


class UnsendableError(Exception):
    """An answer of ours that no client would read as it was meant."""


class Exchange:
    """A request, for the application that answers it."""

    def __init__(self, connection: "Connection", scope: Scope, *, keep_alive: bool) -> None:
        self._connection = connection
        self._scope = scope
        self._pieces: list[bytes] = []
        """What has come of the body and was not asked for yet."""
        self._unasked_bytes = 0
        self._has_come = False
        """Whether the whole body has."""
        self._given = False
        """Whether the application has the whole body."""
        self._hears_no_more = False
        """Whether the client, who may still listen, says nothing more."""
        self._asking: asyncio.Future[None] | None = None
        """What the application waited for last that came later than it asked."""
        self._status = 0
        self._headers: Headers = ()
        self._answer = b""
        self.keep_alive = keep_alive
        self.over = False
        """Whether it is answered, or nobody waits for its answer any more."""

    # What the connection tells of the request

    def take(self, piece: bytes) -> int:
        """Take a piece of the body; returns how many bytes nobody has asked for yet."""
        self._pieces.append(piece)
        self._unasked_bytes += len(piece)
        self._tell()
        return self._unasked_bytes

    def end(self) -> None:
        """Know that the body has come whole."""
        self._has_come = True
        self._tell()

    def hear_no_more(self) -> None:
        """Know that the client is done, or gone, after its request has come whole."""
        self._hears_no_more = True
        self._tell()

    def abandon(self) -> None:
        """Wait no more for what has not come, and let the answer go nowhere."""
        self.over = True
        self._tell()

    # What the server runs, and the two ways in which the application talks with it

    async def run(self, application: Application) -> None:
        """Have it answered. An error is logged, and answered with 500 where nothing else was."""
        try:
            await application(self._scope, self._receive, self._send)
            if not self.over:
                raise UnsendableError("the application answered nothing")  # noqa: TRY301
        except Exception:
            log.exception("request.failed")
        finally:
            if not self.over:
                self.keep_alive = False
                self._finish(HTTPStatus.INTERNAL_SERVER_ERROR, FAILED_HEADERS, FAILED)

    async def _receive(self) -> Message:
        if not (self._asking or self._pieces or self._has_come):
            self._encourage()
        while not (
            self.over or self._pieces or (self._hears_no_more if self._given else self._has_come)
        ):
            self._asking = asyncio.get_running_loop().create_future()
            self._connection.wire.read_on()
            await self._asking
        if self.over or self._given:
            return {"type": "http.disconnect"}
        body, self._given = b"".join(self._pieces), self._has_come
        self._pieces, self._unasked_bytes = [], 0
        return {"type": "http.request", "body": body, "more_body": not self._has_come}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = message["headers"]
            return
        self._answer += message["body"]
        if message.get("more_body"):
            return
        if self._connection.patience.unread is not None:
            await self._connection.patience.unread
        if not self.over:
            self._finish(self._status, self._headers, self._answer)

    # Below

    def _tell(self) -> None:
        if self._asking is not None and not self._asking.done():
            self._asking.set_result(None)

    def _encourage(self) -> None:
        """Tell a client that waits for that to send its body (RFC 9110, 10.1.1)."""
        if self._scope["http_version"] == "1.1" and any(
            n == b"expect" and v.lower() == b"100-continue" for n, v in self._scope["headers"]
        ):
            self._connection.wire.write(CONTINUE)

    def _finish(self, status: int, headers: Headers, body: bytes) -> None:
        """Write the answer; raises UnsendableError when its head is not to be trusted."""
        headers = [*self._connection.server_state.default_headers, *headers]
        head = b"\r\n".join((STATUS_LINES[status], *map(b": ".join, headers), b""))
        if head.translate(None, PRINTABLE) != b"\r\n" * (len(headers) + 1):
            raise UnsendableError("a header holds what no header may hold")
        if self._scope["method"] == "HEAD" or status in WITHOUT_BODY:
            body = b""
        elif LENGTH % len(body) not in head:
            raise UnsendableError("an answer is not as long as its head says")
        if LAST in head:
            self.keep_alive = False
        elif not self.keep_alive:
            head += CLOSE
        self.over = True
        self._connection.wire.write(b"%b\r\n%b" % (head, body))
        self._connection.answered(self)
