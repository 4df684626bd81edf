"""Why an event could not be applied: one word for logs, counters and operators."""

import msgspec
from rq.timeouts import JobTimeoutException

from service.event import NotAnEventError
from workers.handlers import UnprojectableError
from workers.time_limit import TookTooLongError

PERMANENT = (UnprojectableError, NotAnEventError, msgspec.DecodeError)
"""What no retry changes: the event itself is at fault."""


class EventFailedError(Exception):
    """An event could not be applied; its cause holds the traceback."""


class SuspectError(Exception):
    """Several workers took this event and none of them finished."""


def is_permanent(error: BaseException) -> bool:
    """Tell whether trying again is useless."""
    return isinstance(error, PERMANENT)


def reason_of(error: BaseException) -> str:
    """Return what went wrong in a word; never a text of the event's own."""
    if isinstance(error, UnprojectableError | NotAnEventError):
        return error.reason
    if isinstance(error, JobTimeoutException | TookTooLongError):
        return "timeout"
    return type(error).__name__


def unworded(error: BaseException | None) -> None:
    """Take away what an error and those behind it say; where they were raised stays to be told."""
    while error is not None:
        error.args = ()
        error = error.__cause__ or error.__context__
