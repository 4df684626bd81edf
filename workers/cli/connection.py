"""One client's connection: uvicorn's own, that keeps neither a slow nor a boundless client.

uvicorn limits the pause between two requests, and nothing else: not how long a request may take to
come, not how large its head may be, not how many are sent ahead, not whether anybody reads the
answers. Here every moment in which the client is waited for has an end.
"""

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from workers.cli.joined_writes import JoinedWritesProtocol

if TYPE_CHECKING:
    from workers.cli.crowd import Crowd

NEVER = float("inf")

REQUESTS_AHEAD = 32
"""Requests a client may send before the first of them is answered. No client of Stripe's does."""

HEADER_BYTES = 4
"""What stands around the name and the value of a header."""

NOTHING, HEAD, BODY = range(3)
"""What of a request has begun to come and has not come whole."""

MESSAGES = {
    HTTPStatus.BAD_REQUEST: "This is not a request of HTTP/1.1.",
    HTTPStatus.REQUEST_TIMEOUT: "The request did not come whole in time. Send it again, faster.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The URL and the headers are too large.",
}


class Connection(JoinedWritesProtocol):
    """uvicorn's connection with an end to all patience."""

    def __init__(self, *args: Any, crowd: "Crowd", **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self._crowd = crowd
        self._reading = NOTHING
        self._piece_bytes = 0
        """What came last."""
        self._head_bytes = 0
        """What came of the head being read, without the piece that it began in."""
        self._deaf = False
        self._answered: RequestResponseCycle | None = None
        """The request at work; uvicorn's `cycle` is the one that came last."""
        self.held_bytes = 0
        """Of the body being read."""
        self.since = 0.0
        """Since when the client is waited for, by the loop's clock."""
        self.until = NEVER
        """How long at most; NEVER while it is the client who waits."""
        self.reads_until = NEVER
        """By when it must have taken some of its answer."""

    # What uvicorn and its transport call, in the order of a request's life

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._wait(self._crowd.keep_alive_seconds)
        self._crowd.join(self)

    def data_received(self, data: bytes) -> None:
        """Read a piece; a head that grows without end is refused before it is whole."""
        if self._deaf:
            return
        self._piece_bytes = len(data)
        if self._reading == HEAD:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._reading == HEAD and self._head_bytes > self._crowd.head_limit_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._reading = HEAD
        self._head_bytes = 0
        if not self._answering:
            self._wait(self._crowd.client_seconds)

    def on_headers_complete(self) -> None:
        """Take a request whose head is in order."""
        if self._deaf:
            return
        if self._head_bytes + self._piece_bytes > self._crowd.head_limit_bytes < self._head_size():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif len(self.pipeline) == REQUESTS_AHEAD:
            self._answer_no_more()
        else:
            answering = self._answering
            super().on_headers_complete()
            self._reading = BODY
            if not answering:
                self._wait(self._crowd.client_seconds)

    def on_body(self, body: bytes) -> None:
        """Hold a piece of the body, unless nobody will read it."""
        if self._deaf:
            return
        if not self.cycle.response_complete:
            self.held_bytes += len(body)
            self._crowd.hold(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Let the client wait now; or wait for its next request, if the answer was faster."""
        if self._deaf:
            return
        super().on_message_complete()
        self._reading = NOTHING
        self._let_go_of_body()
        if self._answering:
            self.until = NEVER
        else:
            self._wait(self._crowd.keep_alive_seconds)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - uvicorn's own
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Wait for the rest of the request, for one sent ahead, or for the next."""
        super().on_response_complete()
        self._let_go_of_body()
        if self._reading == NOTHING and not self.pipeline and not self._answering:
            # uvicorn closes what is idle for so long; what has still not gone then takes no answer.
            self._wait(self._crowd.keep_alive_seconds + self._crowd.client_seconds)
        elif self.until == NEVER and self._reading != NOTHING and not self.pipeline:
            self._wait(self._crowd.client_seconds)

    def pause_writing(self) -> None:
        """Wait for the client to take its answer."""
        super().pause_writing()
        self.reads_until = self.loop.time() + self._crowd.client_seconds

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        self.reads_until = NEVER

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave nothing behind; uvicorn tells the request sent last, not the one being answered."""
        self._tell_that_it_is_over()
        self._let_go_of_body()
        self._crowd.leave(self)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words; ours say more
        """Refuse what the parser cannot read."""
        self._refuse(HTTPStatus.BAD_REQUEST)

    def _unsupported_upgrade_warning(self) -> None:
        """Go on with HTTP/1.1, as a server may (RFC 9110, 7.8), to the end of this answer."""
        self._answer_no_more()

    # What the crowd asks and orders

    @property
    def is_waited_for(self) -> bool:
        """Whether it is the client's turn."""
        return self.until != NEVER or self.reads_until != NEVER

    def end(self) -> None:
        """Close it: its time is over, or its place is needed."""
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            self.transport.abort()  # closing would wait until the client has read everything
        elif self._reading == NOTHING:
            self._deaf = True
            self.transport.close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    # Below

    @property
    def _answering(self) -> bool:
        """Whether a request is here that has not been answered yet."""
        before_the_first = self.cycle is None  # whatever uvicorn's annotation says
        return not before_the_first and not self.cycle.response_complete

    def _wait(self, seconds: float) -> None:
        self.since = self.loop.time()
        self.until = self.since + seconds

    def _head_size(self) -> int:
        return len(self.url) + sum(len(n) + len(v) + HEADER_BYTES for n, v in self.headers)

    def _let_go_of_body(self) -> None:
        self._crowd.hold(-self.held_bytes)
        self.held_bytes = 0

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer for the request being read, unless others are to be answered before it."""
        if self._answering and self._reading != BODY:
            self._answer_no_more()
            return
        self._deaf = True
        self._let_go_of_body()
        told_already = self._reading == BODY and self.cycle.response_started
        if not told_already and not self.pipeline:
            self.transport.write(_refusal(status))
        self.transport.close()
        self._tell_that_it_is_over()

    def _tell_that_it_is_over(self) -> None:
        """Let the endpoint at work stop waiting for a body, and its answer go nowhere."""
        if self._answered is not None and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()

    def _answer_no_more(self) -> None:
        """Close when what was taken has been answered, as RFC 9112 allows (9.3.2 and 9.6)."""
        self._deaf = True
        last = self.pipeline[0][0] if self.pipeline else self.cycle
        last.keep_alive = False


def _refusal(status: HTTPStatus) -> bytes:
    error = {
        "type": "invalid_request_error",
        "code": status.name.lower(),
        "message": MESSAGES[status],
    }
    body = msgspec.json.encode({"error": error})
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
