"""A limit of time on what runs in this process: what hangs is ended, and its job goes on."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

MOMENT_SECONDS = 0.001
"""A timer set to nothing would never go off."""


class TookTooLongError(Exception):
    """It did not end within its limit."""


class _TimeIsUp(BaseException):
    """No Exception, or what hangs might take it for one of its own and go on."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """End the block after so many seconds; a limit around it, RQ's on the job, goes on after it.

    There is one timer in a process, and its signal reaches the main thread alone: in any other
    thread nothing is limited.

    Raises:
        TookTooLongError: it was ended.

    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, _end)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _TimeIsUp:
        raise TookTooLongError(f"it was not done after {seconds:g} seconds") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            spent = time.monotonic() - began
            signal.setitimer(signal.ITIMER_REAL, max(MOMENT_SECONDS, left - spent))


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _TimeIsUp
