"""What a file of events holds: one event, a list of them, or one a line."""

from typing import Any

import msgspec


class Listing(msgspec.Struct):
    """A list as Stripe's API returns it (`data`), or as recordings name it (`events`)."""

    data: list[msgspec.Raw] | None = None
    events: list[msgspec.Raw] | None = None


def events_in(content: bytes) -> list[bytes]:
    """Return the events of a file, each in the file's own bytes.

    What is no list is one event, whatever it is: that it is none is for the receiver to say.
    """
    return _listed(content) or _one_a_line(content) or [content]


def named(event: bytes) -> str:
    """Return an event's id and type for a person to read."""
    try:
        envelope = msgspec.json.decode(event, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "(not an event)"
    return f"{envelope.get('id', '(no id)')} {envelope.get('type', '(no type)')}"


def _listed(content: bytes) -> list[bytes]:
    try:
        found = msgspec.json.decode(content, type=list[msgspec.Raw] | Listing)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    items = found if isinstance(found, list) else found.data or found.events or []
    return [bytes(item) for item in items]


def _one_a_line(content: bytes) -> list[bytes]:
    lines = [line for line in content.splitlines() if line.strip()]
    try:
        for line in lines:
            msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return lines
