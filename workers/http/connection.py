"""One client's connection: requests come out of its bytes, and every wait for it has an end.

httptools parses; uvicorn's server accepts connections and ends them. Its own protocol limits the
pause between two requests, and nothing else: not how long a request may take to come, not how large
its head may be, not how many are sent ahead, not whether anybody reads the answers.
"""

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import httptools
import structlog
from uvicorn import Config
from uvicorn.server import ServerState

from workers.http.exchange import Exchange
from workers.http.refusals import refusal
from workers.http.scopes import Headers, connection_scope, request_scope
from workers.http.turns import Turns

if TYPE_CHECKING:
    from workers.http.crowd import Crowd

NEVER = float("inf")

REQUESTS_AHEAD = 32
"""Requests a client may send before the first of them is answered. No client of Stripe's does."""

UNASKED_BYTES = 64 * 1024
"""What may lie here of a body before the application asks for it."""

HEADER_BYTES = 4
"""What stands around the name and the value of a header."""

NOTHING, HEAD, BODY = range(3)
"""What of a request has begun to come and has not come whole."""

LAST_CALL_SECONDS = 0.1
"""How long a request may be on its way to a server that ends; a busy client always has one."""

SENDING_STILL = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
"""What is said to clients in the middle of sending; any other refusal is to one that is slow, or
to make room."""

log = structlog.get_logger()


class Connection(asyncio.Protocol):
    """A connection with an end to all patience."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],  # noqa: ARG002 - Onfile's lifespan leaves nothing in it
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        crowd: "Crowd",
    ) -> None:
        """Take what uvicorn's server gives each of its connections."""
        self._application = config.loaded_app
        self.server_state = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._crowd = crowd
        self._parser = self._new_parser()
        self._reading = NOTHING
        self._came_on = False
        """Whether a head or a body began or ended since the client's turn was last looked at."""
        self._piece_bytes = 0
        """What came last."""
        self._head_bytes = 0
        """What came of the head being read, without the piece that it began in; later of what
        stands between and after the chunks of a body."""
        self._url = b""
        self._headers: Headers = []
        self._body_bytes = 0
        self._deaf = False
        self._ends = False
        """Whether the next answer is the last."""
        self._paused = False
        self._turns = Turns()
        self.held_bytes = 0
        """Of the body being read."""
        self.since = 0.0
        """Since when the client is waited for, by the loop's clock."""
        self.until = NEVER
        """How long at most; NEVER while it is the client who waits."""
        self.reads_until = NEVER
        """By when it must have taken some of its answer."""
        self.unread: asyncio.Future[None] | None = None
        """Done when it has; None while it takes all it is given."""

    # What the transport and the parser call, in the order of a request's life

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        self.transport = cast("asyncio.Transport", transport)
        self._scope = connection_scope(transport)
        self.server_state.connections.add(cast("Any", self))
        self._wait(self._crowd.keep_alive_seconds)
        self._crowd.join(self)
        tasks = self.server_state.tasks  # the server waits for them when it ends
        task = self._loop.create_task(self._turns.run(self._application))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def data_received(self, data: bytes) -> None:
        """Read a piece; a head that grows without end is refused before it is whole."""
        if self._deaf:
            return
        self._piece_bytes = len(data)
        if self._reading != NOTHING:
            self._head_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            if not self._deaf:  # refused already, it is told nothing more
                log.info("request.unreadable", error=type(error).__name__)
                self._refuse(HTTPStatus.BAD_REQUEST)
        if self._deaf:
            return
        if self._reading != NOTHING and self._head_bytes > self._crowd.head_limit_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        if self._reading == BODY:
            self._hold_body()
        self._take_turns()

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._reading = HEAD
        self._came_on = True
        self._head_bytes = self._body_bytes = 0
        self._url = b""
        self._headers = []

    def on_url(self, piece: bytes) -> None:
        """Take a piece of the URL."""
        self._url += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what comes after a body is none (RFC 9110, 6.5.1)."""
        if self._reading == HEAD:
            self._headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Take a request whose head is in order."""
        if self._deaf or self._parser.should_upgrade():
            return
        if self._head_bytes + self._piece_bytes > self._crowd.head_limit_bytes < self._head_size():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif len(self.server_state.connections) > self._crowd.most_answers:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        elif len(self._turns.ahead) == REQUESTS_AHEAD:
            self._answer_no_more()
        else:
            scope = request_scope(self._scope, self._parser, self._url, self._headers)
            self._reading = BODY
            self._came_on = True
            self._head_bytes = 0
            keep_alive = scope["http_version"] == "1.1" and self._parser.should_keep_alive()
            self._turns.add(Exchange(self, scope, keep_alive=keep_alive and not self._ends))
            if self._turns.ahead:
                self._pause_reading()

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body, unless nobody will read it."""
        request = self._turns.latest
        self._head_bytes = 0
        if self._deaf or request is None or request.over:
            return
        self._body_bytes += len(piece)
        if request.take(piece) > UNASKED_BYTES:
            self._pause_reading()

    def on_message_complete(self) -> None:
        """Know that the request has come whole."""
        if self._deaf or self._reading != BODY or self._turns.latest is None:
            return
        self._reading = NOTHING
        self._came_on = True
        self._turns.latest.end()
        self._let_go_of_body()

    def eof_received(self) -> bool:
        """Answer what has come whole, for who says nothing more may listen still."""
        if self._turns.at_work is None or self._is_last_half_read():
            self._crowd.outgoing.flush()
            return False  # and the transport closes itself
        self._answer_no_more()
        self._reading = NOTHING
        self._turns.hear_no_more()
        return True

    def pause_writing(self) -> None:
        """Wait for the client to take its answer."""
        self.unread = self._loop.create_future()
        self.reads_until = self._loop.time() + self._crowd.client_seconds

    def resume_writing(self) -> None:
        """Go on."""
        self.reads_until = NEVER
        if self.unread is not None and not self.unread.done():
            self.unread.set_result(None)
        self.unread = None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - over is over
        """Leave nothing behind."""
        self.server_state.connections.discard(cast("Any", self))
        self._crowd.leave(self)
        self._let_go_of_body()
        self._turns.end()
        self.resume_writing()
        del self._parser  # each holds the other

    # What an exchange calls

    def write(self, data: bytes) -> None:
        """Send this with the answers to others."""
        self._crowd.outgoing.write(self.transport, data)

    def read_on(self) -> None:
        """Take more of what the client sends."""
        if self._paused and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()

    def answered(self, exchange: Exchange) -> None:
        """Go on with what was sent ahead, or wait for more."""
        self._turns.answered()
        self._let_go_of_body()
        if not exchange.keep_alive:
            more_may_come = self._paused or self._reading != NOTHING
            self._deaf = True
            self._turns.end()
            self._part() if more_may_come else self._close()
            self._wait(self._crowd.client_seconds)  # for taking the answer
            return
        self.read_on()
        self._take_turns()

    # What the crowd and the server ask and order

    @property
    def is_waited_for(self) -> bool:
        """Whether it is the client's turn."""
        return self.until != NEVER or self.reads_until != NEVER

    def end(self) -> None:
        """Close it: its time is over, or its place is needed."""
        if self._deaf or self.transport.is_closing() or self.transport.get_write_buffer_size():
            self.transport.abort()  # closing would wait until the client has read everything
        elif self._reading == NOTHING:
            self._deaf = True
            self._close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def shutdown(self) -> None:
        """Close it when what was taken, or comes in a moment, is answered: the server ends."""
        self._ends = True
        self._crowd.outgoing.flush()
        if self._turns.at_work is not None:
            self._turns.keep_alive_no_more()
        elif self.transport.get_write_buffer_size():
            self.transport.close()  # when that has been taken
        else:
            self.until = min(self.until, self._loop.time() + LAST_CALL_SECONDS)

    # Below

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _parse(self, data: bytes) -> None:
        """Read on; an offer to speak another protocol is ignored, as it may be (RFC 9110, 7.8).

        The parser takes the rest for that protocol, also a body that is none of it: so the head is
        read once more without the offer.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            method, version = self._parser.get_method(), self._parser.get_http_version()
            if method == b"CONNECT":
                self._refuse(HTTPStatus.BAD_REQUEST)
            if not self._deaf:
                head = b"%b %b HTTP/%b\r\n" % (method, self._url, version.encode())
                kept = (one for one in self._headers if one[0] != b"upgrade")
                headers = b"".join(b"%b: %b\r\n" % one for one in kept)
                self._parser = self._new_parser()
                self._parse(b"%b%b\r\n%b" % (head, headers, data[upgrade.args[0] :]))

    def _take_turns(self) -> None:
        """Wait for the client where nothing can be answered before more has come.

        Its time begins with each head and each body; more bytes of the same buy no more.
        """
        if self._turns.at_work is not None and not self._is_last_half_read():
            self.until = NEVER
        elif self._came_on or self.until == NEVER:
            idle = self._reading == NOTHING
            self._wait(self._crowd.keep_alive_seconds if idle else self._crowd.client_seconds)
        self._came_on = False

    def _wait(self, seconds: float) -> None:
        self.since = self._loop.time()
        self.until = self.since + seconds

    def _head_size(self) -> int:
        return len(self._url) + sum(len(n) + len(v) + HEADER_BYTES for n, v in self._headers)

    def _hold_body(self) -> None:
        size, self.held_bytes = self._body_bytes - self.held_bytes, self._body_bytes
        self._crowd.hold(size)

    def _let_go_of_body(self) -> None:
        if self.held_bytes:
            self._crowd.hold(-self.held_bytes)
            self.held_bytes = 0

    def _pause_reading(self) -> None:
        if not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer for the request being read, unless others are to be answered before it."""
        if self._turns.at_work is not None and not self._is_last_half_read():
            self._answer_no_more()
            return
        self._deaf = True
        self._let_go_of_body()
        told_already = self._reading == BODY and self._turns.at_work is None
        if not told_already:
            self.write(refusal(status, self.server_state.default_headers))
        self._turns.end()
        self._part() if status in SENDING_STILL else self._close()
        self._wait(self._crowd.client_seconds)

    def _close(self) -> None:
        self._crowd.outgoing.flush()
        self.transport.close()

    def _part(self) -> None:
        """Say that nothing more will be said, and close when the client has done so too.

        Who still sends to what is closed is reset, and may lose its answer (RFC 9112, 9.6).
        """
        self._crowd.outgoing.flush()
        if not self.transport.is_closing():
            self.transport.write_eof()
            self.read_on()

    def _answer_no_more(self) -> None:
        """Close when what has come whole has been answered (RFC 9112, 9.3.2 and 9.6)."""
        self._deaf = True
        self.until = NEVER
        if self._reading == BODY:
            self._turns.withdraw()
            self._let_go_of_body()
        self._turns.keep_alive_no_more()

    def _is_last_half_read(self) -> bool:
        """Whether the request at work is the one that has not come whole."""
        return self._reading == BODY and not self._turns.ahead
