"""Keeps the children of `onfile up` running until a signal says stop; then stops them in order."""

import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Self

from workers.cli.children import Child

Handler = Callable[[int, FrameType | None], object] | int | None

LOOK_SECONDS = 1.0
"""How often to look after the children though no signal has told of a death."""

HURRIED_SECONDS = 2.0
"""How long a child has from SIGTERM to SIGKILL once somebody is in a hurry."""


class Signals:
    """The signals of this process as something that can be waited for."""

    STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.stops = 0
        """How often we were told to stop; more than once means: hurry."""
        self.reader, self.writer = socket.socketpair()
        self.before: dict[signal.Signals, Handler] = {}

    def __enter__(self) -> Self:
        self.reader.setblocking(False)  # noqa: FBT003 (the socket's own signature)
        self.writer.setblocking(False)  # noqa: FBT003
        signal.set_wakeup_fd(self.writer.fileno(), warn_on_full_buffer=False)
        for number in self.STOPPING:
            self.before[number] = signal.getsignal(number)
            if number != signal.SIGHUP or self.before[number] != signal.SIG_IGN:  # nohup
                signal.signal(number, self._stop)
        self.before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, _wake_up)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        self.reader.close()
        self.writer.close()

    def wait(self, seconds: float) -> None:
        """Return when a signal has come, the death of a child included, or the time is over."""
        if select.select([self.reader], [], [], max(seconds, 0))[0]:
            self.reader.recv(4096)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stops += 1


def tend(children: Sequence[Child], signals: Signals, longest: float = LOOK_SECONDS) -> None:
    """Start again what has ended, then wait for the next thing to happen."""
    for child in children:
        child.tend()
    due = [child.due_at - time.monotonic() for child in children if child.due_at is not None]
    signals.wait(min([*due, longest]))


def stop(children: Sequence[Child], signals: Signals) -> None:
    """End these, all at once: they may finish their work, unless there is a hurry."""
    for child in children:
        child.send(signal.SIGTERM)
    began = time.monotonic()
    while left := [child for child in children if child.running]:
        for child in left:
            patience = HURRIED_SECONDS if signals.stops > 1 else child.stop_seconds
            if time.monotonic() - began > patience:
                child.send(signal.SIGKILL)
        signals.wait(0.05)


def _wake_up(_number: int, _frame: FrameType | None) -> None:
    """SIGCHLD needs a handler to reach the wake-up socket; `tend` does the rest."""
