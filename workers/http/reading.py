"""Bytes become requests: what the parser says of them, and how many there may be."""

from http import HTTPStatus
from typing import TYPE_CHECKING

import httptools
import structlog

from workers.http.heads import head_size, without_offer

if TYPE_CHECKING:
    from workers.http.connection import Connection
    from workers.http.crowd import Crowd
    from workers.http.scopes import Headers

UNASKED_BYTES = 64 * 1024
"""What may lie here of a body before the application asks for it."""

NOTHING, HEAD, BODY = range(3)
"""What of a request has begun to come and has not come whole."""

log = structlog.get_logger()


class Reading:
    """The request of a connection that is being read."""

    def __init__(self, connection: "Connection", crowd: "Crowd") -> None:
        self._connection = connection
        self._turns = connection.turns
        self._crowd = crowd
        self._parser = self._new_parser()
        self.begun = NOTHING
        self.came_on = False
        """Whether a head or a body began or ended since the client's turn was last looked at."""
        self.deaf = False
        """Whether what comes is thrown away."""
        self.held_bytes = 0
        """Of the body being read."""
        self._piece_bytes = 0
        """What came last."""
        self._head_bytes = 0
        """What came of the head being read, without the piece that it began in; later of what
        stands between and after the chunks of a body."""
        self._body_bytes = 0
        self._url = b""
        self._headers: Headers = []

    # What the connection tells

    def feed(self, data: bytes) -> None:
        """Read a piece; a head that grows without end is refused before it is whole."""
        self._piece_bytes = len(data)
        if self.begun != NOTHING:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if not self.deaf:
                self._ignore_offer(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if not self.deaf:  # who has been refused is told nothing more
                log.info("request.unreadable", error=type(error).__name__)
                self._connection.ending.refuse(HTTPStatus.BAD_REQUEST)
        if self.deaf or self.begun == NOTHING:
            return
        if self._head_bytes > self._crowd.head_limit_bytes:
            self._connection.ending.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self.begun == BODY:
            size, self.held_bytes = self._body_bytes - self.held_bytes, self._body_bytes
            self._crowd.hold(size)

    def let_go_of_body(self) -> None:
        """Count it no more among what bodies hold."""
        if self.held_bytes:
            self._crowd.hold(-self.held_bytes)
            self.held_bytes = 0

    def end(self) -> None:
        """Read no more."""
        del self._parser  # each holds the other

    # What the parser calls, in the order of a request's life

    def on_message_begin(self) -> None:
        """Begin a head."""
        self.begun = HEAD
        self.came_on = True
        self._head_bytes = self._body_bytes = 0
        self._url = b""
        self._headers = []

    def on_url(self, piece: bytes) -> None:
        """Take a piece of the URL."""
        self._url += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what comes after a body is none (RFC 9110, 6.5.1)."""
        if self.begun == HEAD:
            self._headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Hand over a request whose head is in order."""
        if self.deaf or self._parser.should_upgrade():
            return
        limit = self._crowd.head_limit_bytes
        came = self._head_bytes + self._piece_bytes  # and more, perhaps, than this head
        if came > limit and head_size(self._url, self._headers) > limit:
            self._connection.ending.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._connection.take(self._parser, self._url, self._headers):
            self.begun = BODY
            self.came_on = True
            self._head_bytes = 0

    def on_body(self, piece: bytes) -> None:
        """Hand over a piece of the body, unless nobody will read it."""
        request = self._turns.latest
        self._head_bytes = 0
        if self.deaf or request is None or request.over:
            return
        self._body_bytes += len(piece)
        if request.take(piece) > UNASKED_BYTES:
            self._connection.wire.pause()

    def on_message_complete(self) -> None:
        """Know that the request has come whole."""
        request = self._turns.latest
        if self.deaf or self.begun != BODY or request is None:
            return
        self.begun = NOTHING
        self.came_on = True
        request.end()
        if self.held_bytes:
            self.let_go_of_body()

    # Below

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _ignore_offer(self, rest: bytes) -> None:
        if self._parser.get_method() == b"CONNECT":
            self._connection.ending.refuse(HTTPStatus.BAD_REQUEST)
            return
        head = without_offer(self._parser, self._url, self._headers)
        self._parser = self._new_parser()
        self.feed(head + rest)
