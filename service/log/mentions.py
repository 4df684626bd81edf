"""Mentions: which entries of the log told of a customer, noted with the step that settles them.

A timeline is made of these entries again whenever it is asked for, so nothing else of it is kept:
a number an entry, which the store packs into eight bytes. An entry about a source that is nobody's
yet is noted under the source, and its customer finds it there.
"""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

import redis

from service.keys import Subject, mentions_key

SEQUENCE_BITS = 21
"""Two million entries in one millisecond; and milliseconds until the year 2109."""

_SCRIPT = (files("service") / "lua" / "mentions.lua").read_text()


def note(client: redis.Redis, told: Mapping[Any, Iterable[str]]) -> None:
    """Note by customer or source which entries told of it; `client` may be a pipeline."""
    rows = {
        mentions_key(*subject): " ".join(number_of(entry) for entry in entries)
        for subject, entries in told.items()
        if entries
    }
    if rows:
        client.eval(_SCRIPT, len(rows), *rows, *rows.values())


def entries_of(client: redis.Redis, subjects: Iterable[Subject]) -> list[str]:
    """Return the ids of all entries that told of one of these, oldest first.

    Some of them may have left the log meanwhile.
    """
    keys = [mentions_key(*subject) for subject in subjects]
    numbers: Any = client.sunion(keys) if keys else ()
    return [_entry_of(number) for number in sorted(map(int, numbers))]


def number_of(entry_id: str) -> str:
    """Return the number that stands for an entry."""
    milliseconds, _, sequence = entry_id.partition("-")
    return str((int(milliseconds) << SEQUENCE_BITS) + int(sequence))


def _entry_of(number: int) -> str:
    return f"{number >> SEQUENCE_BITS}-{number & ((1 << SEQUENCE_BITS) - 1)}"
