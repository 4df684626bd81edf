"""Answers that would be others, as people and programs read them."""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from rich.console import Console
from rich.text import Text

from workers.operators.overlay import Change, Difference

SHOWN = 20
"""Answers that are shown part by part; --json tells all."""


class Counted:
    """Differences as they pass; knows afterwards how many there were."""

    def __init__(self, differences: Iterator[Difference]) -> None:
        self._differences = differences
        self.number = 0

    def __iter__(self) -> Iterator[Difference]:
        for difference in self._differences:
            self.number += 1
            yield difference


def print_differences(out: Console, differences: Counted) -> None:
    """Print the first of them, part by part, and count all."""
    rest = iter(differences)
    for difference in islice(rest, SHOWN):
        where = f"{difference.mode} mode"
        where += f", account {difference.account}" if difference.account else ""
        title = Text(f"{difference.document} {difference.id}", style="bold")
        out.print(Text.assemble(title, f" ({where})"), soft_wrap=True)
        _print_changes(out, difference.changes)
    more = sum(1 for _ in rest)
    if more:
        out.print(f"… and {more:,} more: --json tells all of them.")


def _print_changes(out: Console, changes: Iterable[Change]) -> None:
    for change in changes:
        line = Text.assemble(
            (f"    {change.part}: ", ""),
            (_text(change.before), "red"),
            " → ",
            (_text(change.after), "green"),
        )
        out.print(line, soft_wrap=True)


def _text(value: object) -> str:
    return msgspec.json.Encoder(decimal_format="number").encode(value).decode()
