"""Numbers, moments and what is lacking, as a person says them."""

from datetime import UTC, datetime

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))
_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_THOUSAND_BYTES = 1024


def counted(number: int, noun: str) -> str:
    """Return so many of a thing, whose plural takes an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def not_in_log(event_id: str) -> str:
    """Return why an event cannot be found."""
    return (
        f"{event_id} is not in the log: it never came, it is older than the retention, or its "
        "customer was forgotten."
    )


def duration(seconds: float | None) -> str:
    """Return a length of time as a person says it."""
    if seconds is None:
        return "-"
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def size(number: float) -> str:
    """Return an amount of memory."""
    for unit in _BYTE_UNITS[:-1]:
        if number < _THOUSAND_BYTES:
            return f"{number:,.0f} {unit}" if unit == "B" else f"{number:,.1f} {unit}"
        number /= _THOUSAND_BYTES
    return f"{number:,.1f} {_BYTE_UNITS[-1]}"


def short_moment(iso: str) -> str:
    """Return a moment as it stands in tables: UTC, to the second."""
    return f"{iso[:10]} {iso[11:19]}Z"


def moment_in_list(iso: str) -> str:
    """Return a moment as it stands in lists: of one of today only the time."""
    moment = short_moment(iso)
    today = datetime.now(UTC).date().isoformat()
    return moment.removeprefix(f"{today} ")
