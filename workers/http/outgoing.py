"""Answers on their way out: those of one turn of the event loop are written one after the other.

A client falls asleep between two answers, and the system takes longer to wake it than to write.
"""

import asyncio

import structlog

log = structlog.get_logger()


class Outgoing:
    """What a web process has to write; used from its event loop alone."""

    def __init__(self) -> None:
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []

    def write(self, transport: asyncio.Transport, data: bytes) -> None:
        """Write it when this turn is over, unless the client has left by then."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.append((transport, data))

    def flush(self) -> None:
        """Write all of it now: before a connection is closed, for one."""
        waiting, self._waiting = self._waiting, []
        for transport, data in waiting:
            if not transport.is_closing():
                try:
                    transport.write(data)
                except Exception:
                    log.exception("answer.unwritten")
                    transport.abort()
