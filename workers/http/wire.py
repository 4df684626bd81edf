"""What a connection sends by and reads from; closed at once, or in two steps."""

import asyncio

from workers.http.outgoing import Outgoing


class Wire:
    """A transport whose reading may pause, and which writes together with all others."""

    def __init__(self, transport: asyncio.Transport, outgoing: Outgoing) -> None:
        self._transport = transport
        self._outgoing = outgoing
        self._paused = False

    @property
    def is_paused(self) -> bool:
        """Whether what the client sends is left where it is."""
        return self._paused

    @property
    def is_closing(self) -> bool:
        """Whether it is closed, or will be when the client has taken the rest."""
        return self._transport.is_closing()

    @property
    def has_unread(self) -> bool:
        """Whether the client has not taken everything yet."""
        return self._transport.get_write_buffer_size() > 0

    def write(self, data: bytes) -> None:
        """Send this with the answers to others."""
        self._outgoing.write(self._transport, data)

    def pause(self) -> None:
        """Take nothing more of what the client sends."""
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def read_on(self) -> None:
        """Take more of what the client sends."""
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def close(self) -> None:
        """Close it when the client has taken everything."""
        self._outgoing.flush()
        self._transport.close()

    def part(self) -> None:
        """Say that nothing more will be said, and close when the client has done so too.

        Who still sends to what is closed is reset, and may lose its answer (RFC 9112, 9.6).
        """
        self._outgoing.flush()
        if not self._transport.is_closing():
            self._transport.write_eof()
            self.read_on()

    def cut(self) -> None:
        """Close it now: closing would wait until the client has read everything."""
        self._transport.abort()
