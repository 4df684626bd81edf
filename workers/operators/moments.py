"""Moments as operators write and read them: ISO 8601 in UTC, or how long ago."""

import re
import time
from datetime import UTC, datetime

_UNITS_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGO = re.compile(r"([0-9]{1,9})([smhdw])")


def read_moment(text: str, *, now: float | None = None) -> float:
    """Return unix seconds of 90s, 30m, 2h, 7d, 1w (ago), a date, or a date and time.

    A time without an offset is UTC's.

    Raises:
        ValueError: it is none of these; the message is the end of a sentence.

    """
    if ago := _AGO.fullmatch(text.strip()):
        return (time.time() if now is None else now) - int(ago[1]) * _UNITS_SECONDS[ago[2]]
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{text!r} is no moment; write how long ago (90s, 30m, 2h, 7d) or a date "
            "(2026-01-31, 2026-01-31T13:00, 2026-01-31T13:00+02:00; UTC without an offset)."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def iso(seconds: float) -> str:
    """Return a moment as programs read it."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
