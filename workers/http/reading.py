"""What a client sends becomes requests: what httptools says of its bytes, and what they may be.

httptools limits nothing: not how large a head may be, nor what stands between a body's chunks.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING

import httptools
import structlog

if TYPE_CHECKING:
    from workers.http.connection import Connection
    from workers.http.crowd import Crowd
    from workers.http.scopes import Headers

UNASKED_BYTES = 64 * 1024
"""What may lie here of a body before the application asks for it."""

HEADER_BYTES = 4
"""What stands around the name and the value of a header."""

NOTHING, HEAD, BODY = range(3)
"""What of a request has begun to come and has not come whole."""

log = structlog.get_logger()


class Reading:
    """The request of a connection that is being read."""

    def __init__(self, connection: "Connection", crowd: "Crowd") -> None:
        self._connection = connection
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
        if self._head_bytes + self._piece_bytes > self._crowd.head_limit_bytes < self._head_size():
            self._connection.ending.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._connection.take(self._parser, self._url, self._headers):
            self.begun = BODY
            self.came_on = True
            self._head_bytes = 0

    def on_body(self, piece: bytes) -> None:
        """Hand over a piece of the body, unless nobody will read it."""
        request = self._connection.turns.latest
        self._head_bytes = 0
        if self.deaf or request is None or request.over:
            return
        self._body_bytes += len(piece)
        if request.take(piece) > UNASKED_BYTES:
            self._connection.wire.pause()

    def on_message_complete(self) -> None:
        """Know that the request has come whole."""
        request = self._connection.turns.latest
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
        """Ignore an offer to speak another protocol, as it may be (RFC 9110, 7.8).

        The parser takes the rest for that protocol, also a body that is none of it: so the head is
        read once more without the offer.
        """
        method, version = self._parser.get_method(), self._parser.get_http_version()
        if method == b"CONNECT":
            self._connection.ending.refuse(HTTPStatus.BAD_REQUEST)
            return
        head = b"%b %b HTTP/%b\r\n" % (method, self._url, version.encode())
        kept = (one for one in self._headers if one[0] != b"upgrade")
        headers = b"".join(b"%b: %b\r\n" % one for one in kept)
        self._parser = self._new_parser()
        self.feed(b"%b%b\r\n%b" % (head, headers, rest))

    def _head_size(self) -> int:
        return len(self._url) + sum(len(n) + len(v) + HEADER_BYTES for n, v in self._headers)
