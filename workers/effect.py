"""The effect of applying facts: which entries changed something, and what is to be noted of it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from service.keys import Subject


class Doubt(NamedTuple):
    """What is ambiguous in a customer's answer, by the version of its document."""

    version: int
    ambiguous: tuple[str, ...]


@dataclass(frozen=True)
class Effect:
    """What applying did: entries that changed a document, and those that could not be applied."""

    changed: set[str]
    failed: dict[str, Exception]
    doubts: dict[Subject, Doubt] = field(default_factory=dict, compare=False)
    """Of every customer that was told of, changed or not."""
    told: dict[Subject, set[str]] = field(default_factory=dict, compare=False)
    """By customer the entries that told of it; by source those of a source that is nobody's."""
    forgotten: set[str] = field(default_factory=set)
    """Entries that told of somebody forgotten: nothing of them may stay."""
    entombed: dict[Subject, int] = field(default_factory=dict)
    """Sources that turned out to be a forgotten customer's, and since when that is forgotten."""
    meters: Counter[str] = field(default_factory=Counter, compare=False)
    """How the facts stood to what was known, and what decided ties."""
