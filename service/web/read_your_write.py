"""Read your own write: hold a query back until the event of a write has been applied."""

import asyncio
import re
import time
from collections.abc import Sequence

import redis
from redis.asyncio import Redis

from service.keys import Namespace
from service.log import event_log
from service.stores import StoreAwayError
from service.web.errors import RefusalError
from service.web.parameters import ParameterError

AFTER = re.compile(r"(?:req|evt)_[A-Za-z0-9_-]{1,250}")
WAIT = re.compile(r"wait\s*=\s*\"?(.*?)\"?\s*", re.IGNORECASE)
SECONDS = re.compile(r"[0-9]{1,9}")

MAX_WAIT_SECONDS = 10
"""Proxies and clients give up not much later; who asks for more gets this, and is told so."""

FIRST_PAUSE_SECONDS = 0.005
MAX_PAUSE_SECONDS = 0.05
PAUSE_GROWTH = 1.5
"""Most events are applied within milliseconds; who waits longer asks less often."""


class ProjectionBehindError(RefusalError):
    """The event asked for has not been applied in time."""

    type = "api_error"
    reason = "projection_behind"


async def wait_until_applied(
    log: Redis, namespace: Namespace, headers: Sequence[tuple[bytes, bytes]]
) -> list[tuple[bytes, bytes]]:
    """Return as soon as the Onfile-After of these headers has been applied, with what to answer.

    Raises ParameterError when a header cannot be understood, ProjectionBehindError when the time
    of `Prefer: wait` (none without it: the log is asked once) is over.
    """
    after = _last(headers, b"onfile-after")
    if not AFTER.fullmatch(after):
        raise ParameterError(
            "The Onfile-After header must be a request's id (req_…) or an event's (evt_…).",
            param="Onfile-After",
        )
    seconds = read_wait(headers)
    obeyed = {} if seconds is None else {"Preference-Applied": f"wait={seconds}"}
    until = time.monotonic() + (seconds or 0)
    pause = FIRST_PAUSE_SECONDS
    while not await _applied(log, namespace, after):
        left = until - time.monotonic()
        if left <= 0:
            raise ProjectionBehindError(
                f"No event of {after} has been applied yet. Ask again, or with a longer wait.",
                code="projection_behind",
                param="Onfile-After",
                headers=obeyed,
            )
        await asyncio.sleep(min(pause, left))
        pause = min(pause * PAUSE_GROWTH, MAX_PAUSE_SECONDS)
    return [(name.lower().encode(), value.encode()) for name, value in obeyed.items()]


async def _applied(log: Redis, namespace: Namespace, after: str) -> bool:
    try:
        return await event_log.applied(log, namespace, after)
    except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
        raise StoreAwayError(str(error)) from error


def read_wait(headers: Sequence[tuple[bytes, bytes]]) -> int | None:
    """Return the seconds of `Prefer: wait=…` (RFC 7240), among other preferences or alone."""
    for name, value in headers:
        if name != b"prefer":
            continue
        for preference in value.decode("latin-1").split(","):
            if wait := WAIT.fullmatch(preference.strip()):
                return _seconds(wait[1])
    return None


def _seconds(text: str) -> int:
    if not SECONDS.fullmatch(text):
        raise ParameterError(
            "The Prefer header must ask for whole seconds, like wait=5.", param="Prefer"
        )
    return min(int(text), MAX_WAIT_SECONDS)


def _last(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> str:
    return next(value.decode("latin-1") for name, value in reversed(headers) if name == wanted)
