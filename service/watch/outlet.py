"""Where a process's lines leave it by a pipe or a socket: its reader is never waited for long.

One that stands still would hold up every delivery and every query.
"""

import contextlib
import os
import select
import stat
import threading
import time
from collections import deque
from typing import TextIO

ATOMIC_BYTES = select.PIPE_BUF
"""A pipe with any room at all takes so much in one piece, whole or not at all."""

WAITING_BYTES = 1024 * 1024
"""What is kept for a reader that is behind."""

PATIENCE_SECONDS = 1.0
"""How long it is waited for at the end, and when no more can be kept: once until it has read."""

LOST = '{"level":"warning","event":"log.lines_lost","lines":%d}\n'


class Outlet:
    """A stream of text to a reader that may stand still; lines beyond what is kept are counted."""

    def __init__(self, out: TextIO) -> None:
        """Raise AttributeError, OSError or ValueError where `out` is no file of the system's."""
        self._out = out
        self._file = out.fileno()
        self._room = select.poll()
        self._room.register(self._file, select.POLLOUT)
        self._patient: bool
        self._begin()
        os.register_at_fork(after_in_child=self._begin)  # what waits is the parent's to say

    def isatty(self) -> bool:
        """Return False: a terminal is waited for."""
        return False

    def write(self, text: str) -> None:
        """Take whole lines; those that find no room are lost."""
        with self._turn:
            self._take(text.encode(errors="backslashreplace"))

    def flush(self) -> None:
        """Hand over what the reader has room for. Raises OSError when there is no reader."""
        with self._turn:
            self._hand_over(0)

    def drain(self) -> None:
        """Hand over all of it, and wait a while for a reader that is behind."""
        with self._turn:
            self._hand_over(PATIENCE_SECONDS)
            self._patient = not self._waiting

    def _begin(self) -> None:
        self._turn = threading.RLock()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._lost = 0
        self._patient = True

    def _take(self, lines: bytes) -> None:
        if self._waiting_bytes > WAITING_BYTES and self._patient:
            self.drain()
        if self._waiting_bytes > WAITING_BYTES:
            self._lost += lines.count(b"\n")
            return
        for line in [lines] if len(lines) <= ATOMIC_BYTES else lines.splitlines(keepends=True):
            for start in range(0, len(line), ATOMIC_BYTES):
                self._waiting.append(line[start : start + ATOMIC_BYTES])
        self._waiting_bytes += len(lines)

    def _hand_over(self, seconds: float) -> None:
        self._out.flush()  # what was printed before
        give_up = time.monotonic() + seconds if seconds else 0.0
        while self._waiting and self._has_room(give_up):
            piece = self._waiting.popleft()
            self._waiting_bytes -= len(piece)
            taken = 0
            with contextlib.suppress(BlockingIOError):  # another process took the room
                taken = os.write(self._file, piece)
            if taken < len(piece):
                self._waiting.appendleft(piece[taken:])
                self._waiting_bytes += len(piece) - taken
                break
        if not self._waiting:
            self._patient = True
            if self._lost:
                lost, self._lost = self._lost, 0
                self.write(LOST % lost)
                self._hand_over(seconds)

    def _has_room(self, give_up: float) -> bool:
        milliseconds = max(0.0, give_up - time.monotonic()) * 1000 if give_up else 0
        return bool(self._room.poll(milliseconds))


def outlet(out: TextIO) -> TextIO | Outlet:
    """Return what to write lines to: `out` itself when it is a file, a terminal or nothing real."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        mode = os.fstat(out.fileno()).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            return Outlet(out)
    return out
