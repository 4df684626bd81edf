"""How a connection ends: with a last answer, with a refusal, or without a word."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from workers.http.patience import NEVER
from workers.http.reading import BODY, NOTHING
from workers.http.refusals import refusal

if TYPE_CHECKING:
    from workers.http.connection import Connection
    from workers.http.crowd import Crowd

LAST_CALL_SECONDS = 0.1
"""How long a request may be on its way to a server that ends; a busy client always has one."""

SENDING_STILL = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
"""What is said to clients in the middle of sending; any other refusal is to one that is slow, or
to make room."""


class Ending:
    """The ways in which one connection ends."""

    def __init__(self, connection: "Connection", crowd: "Crowd") -> None:
        self._connection = connection
        self._crowd = crowd
        self.is_near = False
        """Whether the next answer is the last."""

    def refuse(self, status: HTTPStatus) -> None:
        """Answer for the request being read, unless others are to be answered before it."""
        one = self._connection
        if one.turns.at_work is not None and not one.is_half_read():
            self.when_answered()
            return
        told_already = one.reading.begun == BODY and one.turns.at_work is None
        if not told_already:
            one.wire.write(refusal(status, one.server_state.default_headers))
        one.reading.let_go_of_body()
        self._leave(sending_still=status in SENDING_STILL)

    def when_answered(self) -> None:
        """End it when what has come whole has been answered (RFC 9112, 9.3.2 and 9.6)."""
        one = self._connection
        one.reading.deaf = True
        one.patience.until = NEVER
        if one.reading.begun == BODY:
            one.turns.withdraw()
            one.reading.let_go_of_body()
        one.turns.keep_alive_no_more()

    def answered(self) -> None:
        """End it: the last answer has been given."""
        one = self._connection
        self._leave(sending_still=one.wire.is_paused or one.reading.begun != NOTHING)

    def now(self) -> None:
        """End it: its time is over, or its place is needed."""
        one = self._connection
        if one.reading.deaf or one.wire.is_closing or one.wire.has_unread:
            one.wire.cut()
        elif one.reading.begun == NOTHING:
            one.reading.deaf = True
            one.wire.close()
        else:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)

    def soon(self) -> None:
        """End it when what was taken, or comes in a moment, is answered: the server ends."""
        self.is_near = True
        self._crowd.outgoing.flush()
        one = self._connection
        if one.turns.at_work is not None:
            one.turns.keep_alive_no_more()
        elif one.wire.has_unread:
            one.wire.close()
        else:
            one.patience.wait_no_longer_than(LAST_CALL_SECONDS)

    def _leave(self, *, sending_still: bool) -> None:
        one = self._connection
        one.reading.deaf = True
        one.turns.end()
        one.wire.part() if sending_still else one.wire.close()
        one.patience.wait(self._crowd.client_seconds)  # for taking the answer
