"""One client's connection: requests come out of its bytes, and every wait for it has an end.

httptools parses; uvicorn's server accepts connections and ends them. Its own protocol limits the
pause between two requests, and nothing else: not how long a request may take to come, not how large
its head may be, not how many are sent ahead, not whether anybody reads the answers.
"""

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn import Config
from uvicorn.server import ServerState

from workers.http.ending import Ending
from workers.http.exchange import Exchange
from workers.http.patience import NEVER, Patience
from workers.http.reading import BODY, NOTHING, Reading
from workers.http.scopes import Headers, connection_scope, request_scope
from workers.http.turns import Turns
from workers.http.wire import Wire

if TYPE_CHECKING:
    from workers.http.crowd import Crowd

REQUESTS_AHEAD = 32
"""Requests a client may send before the first of them is answered. No client of Stripe's does."""


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
        self._loop = _loop or asyncio.get_running_loop()
        self._crowd = crowd
        self.server_state = server_state
        self.turns = Turns()
        self.reading = Reading(self, crowd)
        self.ending = Ending(self, crowd)
        self.patience = Patience(self._loop, crowd.client_seconds)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        self.wire = Wire(cast("asyncio.Transport", transport), self._crowd.outgoing)
        self._scope = connection_scope(transport)
        self.server_state.connections.add(cast("Any", self))
        self.patience.wait(self._crowd.keep_alive_seconds)
        self._crowd.join(self)
        tasks = self.server_state.tasks  # the server waits for them when it ends
        task = self._loop.create_task(self.turns.run(self._application))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def data_received(self, data: bytes) -> None:
        """Read a piece."""
        reading = self.reading
        if not reading.deaf:
            reading.feed(data)
            if not reading.deaf:
                self._take_turns()

    def eof_received(self) -> bool:
        """Answer what has come whole, for who says nothing more may listen still."""
        if self.turns.at_work is None or self.is_half_read():
            self._crowd.outgoing.flush()
            return False  # and the transport closes itself
        self.ending.when_answered()
        self.reading.begun = NOTHING
        self.turns.hear_no_more()
        return True

    def pause_writing(self) -> None:
        """Wait for the client to take its answer."""
        self.patience.wait_for_reader()

    def resume_writing(self) -> None:
        """Go on."""
        self.patience.go_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - over is over
        """Leave nothing behind."""
        self.server_state.connections.discard(cast("Any", self))
        self._crowd.leave(self)
        self.reading.let_go_of_body()
        self.turns.end()
        self.patience.go_on()
        self.reading.end()
        del self.reading, self.ending  # each holds this

    # What its own parts, its exchanges and the server call

    def take(self, parser: httptools.HttpRequestParser, url: bytes, headers: Headers) -> bool:
        """Take a request whose head has come; returns False for one that is not taken.

        Raises as request_scope does.
        """
        if len(self.server_state.connections) > self._crowd.most_answers:
            self.ending.refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return False
        if len(self.turns.ahead) == REQUESTS_AHEAD:
            self.ending.when_answered()
            return False
        scope = request_scope(self._scope, parser, url, headers)
        keep_alive = scope["http_version"] == "1.1" and parser.should_keep_alive()
        self.turns.add(Exchange(self, scope, keep_alive=keep_alive and not self.ending.is_near))
        if self.turns.ahead:
            self.wire.pause()
        return True

    def answered(self, exchange: Exchange) -> None:
        """Go on with what was sent ahead, or wait for more."""
        self.turns.answered()
        if self.reading.held_bytes:
            self.reading.let_go_of_body()
        if exchange.keep_alive:
            self.wire.read_on()
            self._take_turns()
        else:
            self.ending.answered()

    def shutdown(self) -> None:
        """Close it when what was taken, or comes in a moment, is answered: the server ends."""
        self.ending.soon()

    def is_half_read(self) -> bool:
        """Whether the request at work is the one that has not come whole."""
        return self.reading.begun == BODY and not self.turns.ahead

    def _take_turns(self) -> None:
        """Wait for the client where nothing can be answered before more has come.

        Its time begins with each head and each body; more bytes of the same buy no more.
        """
        if self.turns.at_work is not None and not self.is_half_read():
            self.patience.until = NEVER
        elif self.reading.came_on or self.patience.until == NEVER:
            crowd, idle = self._crowd, self.reading.begun == NOTHING
            self.patience.wait(crowd.keep_alive_seconds if idle else crowd.client_seconds)
        self.reading.came_on = False
