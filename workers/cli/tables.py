"""Tables as operators' commands print them: nothing cut, and readable on a narrow terminal."""

import io
import re
import sys
from collections.abc import Container, Iterable, Sequence
from typing import TextIO, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPED_COLUMNS = 200
"""Where no terminal says how wide it is, a table is not to be squeezed."""

UNBOUNDED_COLUMNS = 10_000
FOLDED_COLUMNS = 20
"""What a column needs that is folded; a narrower one could not be read."""

_TRAILING = re.compile(r" +$", re.MULTILINE)


def console() -> Console:
    """Return what tables are printed on."""
    out = Console(highlight=False, soft_wrap=False)
    if out.is_terminal:
        return out
    return Console(highlight=False, width=PIPED_COLUMNS, file=cast("TextIO", _Trimmed()))


def table(*columns: str, rows: Iterable[Sequence[object]], whole: Container[str] = ()) -> Table:
    """Return a table of plain texts, none of them cut: an id is there to be copied.

    Columns that are `whole` are not folded where the terminal is narrow.
    """
    made = Table(box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold", header_style="bold", no_wrap=column in whole)
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return made


def print_whole(
    out: Console,
    *columns: str,
    rows: Sequence[Sequence[object]],
    dispensable: Sequence[str] = (),
    folding: str = "",
) -> None:
    """Print a table of which nothing is folded but the column `folding`.

    A narrow terminal goes without the `dispensable` columns, the first one first. What is too wide
    even then the terminal itself wraps.
    """
    shown = list(columns)
    for column in dispensable:
        if _width(columns, rows, shown, folding) <= out.width:
            break
        shown.remove(column)
    made = table(*shown, rows=_only(columns, rows, shown), whole={*shown} - {folding})
    narrow = out.width
    out.width = max(narrow, _width(columns, rows, shown, folding))
    out.print(made)
    out.width = narrow


def facts(rows: Iterable[tuple[str, object]]) -> Table:
    """Return a table of names and values."""
    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(name, value if isinstance(value, Text) else Text(str(value)))
    return made


def _width(
    columns: Sequence[str], rows: Sequence[Sequence[object]], shown: Sequence[str], folding: str
) -> int:
    """Return how wide a table is of which nothing is folded but one column."""
    firm = [name for name in shown if name != folding]
    made = table(*firm, rows=_only(columns, rows, firm))
    width = Console(width=UNBOUNDED_COLUMNS).measure(made).maximum
    return width + (FOLDED_COLUMNS if folding else 0)


def _only(
    columns: Sequence[str], rows: Sequence[Sequence[object]], shown: Sequence[str]
) -> list[list[object]]:
    numbers = [columns.index(name) for name in shown]
    return [[row[number] for number in numbers] for row in rows]


class _Trimmed(io.TextIOBase):
    """Standard output without the blanks that a table ends its lines with."""

    def write(self, text: str) -> int:
        """Write a text that ends where a line does."""
        sys.stdout.write(_TRAILING.sub("", text))
        return len(text)

    def flush(self) -> None:
        """Write it at once."""
        sys.stdout.flush()
