"""One write to the socket for an answer: uvicorn alone writes its head and its body one by one."""

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class JoinedWritesProtocol(HttpToolsProtocol):
    """uvicorn's own protocol; a write costs a tenth of a query, and wakes the client."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin as uvicorn does, and stand between it and the socket."""
        super().connection_made(transport)
        self.transport = cast("asyncio.Transport", _JoinedWrites(transport))


class _JoinedWrites:
    """As much of a transport as uvicorn uses; what one turn of the loop writes goes out at once.

    No answer of ours is streamed, so that one turn never writes more than a few whole answers.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._written: list[bytes] = []
        self._call_soon = asyncio.get_running_loop().call_soon
        self.abort = transport.abort
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.is_closing = transport.is_closing
        self.set_protocol = transport.set_protocol

    def write(self, data: bytes) -> None:
        """Take what is to be written in this turn."""
        if not self._written:
            self._call_soon(self._flush)
        self._written.append(data)

    def close(self) -> None:
        """Write what was taken, and close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._written and not self._transport.is_closing():
            self._transport.write(b"".join(self._written))
        self._written.clear()
