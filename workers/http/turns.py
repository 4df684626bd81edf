"""Whose turn it is: the requests of one connection are answered one at a time, as they came."""

import asyncio
from collections import deque

from workers.http.exchange import Application, Exchange


class Turns:
    """The request at work, and those that were sent ahead and wait for it."""

    def __init__(self) -> None:
        self.latest: Exchange | None = None
        """The request that came last, answered or not."""
        self.at_work: Exchange | None = None
        self.ahead: deque[Exchange] = deque()
        self._over = False
        self._idle: asyncio.Future[None] | None = None
        """Done when there is something to answer, or never will be again."""

    async def run(self, application: Application) -> None:
        """Have one after the other answered; a task for each would cost as much as to read it."""
        while not self._over:
            if self.at_work is None:
                self._idle = asyncio.get_running_loop().create_future()
                await self._idle
            else:
                await self.at_work.run(application)  # in which `answered` moves on

    def add(self, exchange: Exchange) -> None:
        """Let it be answered now, or when those before it have been."""
        self.latest = exchange
        if self.at_work is None:
            self.at_work = exchange
            self._stir()
        else:
            self.ahead.append(exchange)

    def answered(self) -> None:
        """Know that the one at work has been answered."""
        self.at_work = self.ahead.popleft() if self.ahead else None

    def withdraw(self) -> None:
        """Forget the one that came last and is not at work."""
        self.ahead.pop()
        self.latest = self.ahead[-1] if self.ahead else self.at_work

    def hear_no_more(self) -> None:
        """Tell all that their client says nothing more; their answers go out."""
        if self.at_work is not None:
            self.at_work.hear_no_more()
        for exchange in self.ahead:
            exchange.hear_no_more()

    def keep_alive_no_more(self) -> None:
        """Let the answer to what came last be the last on its connection."""
        if self.latest is not None:
            self.latest.keep_alive = False

    def end(self) -> None:
        """Begin no other, and let the one at work wait for nothing and its answer go nowhere."""
        self._over = True
        if self.at_work is not None:
            self.at_work.abandon()
        self.at_work = self.latest = None
        self.ahead.clear()
        self._stir()

    def _stir(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
