"""How operators' commands speak: tables for people, JSON for programs, and what they exit with.

0: all is well. 1: trouble. 2: wrong words or settings. 3: differences were found. Answers go to
standard output, everything else to standard error.
"""

import io
import re
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import click
import msgspec
import redis
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.settings import Settings, without_password
from service.stores import AWAY
from service.watch import logs
from workers.cli.data_dir import DataDir
from workers.cli.environment import WRONG_SETTINGS_STATUS, checked, environ, is_of_folder
from workers.operators.desk import Desk, open_desk

TROUBLE = 1
DIFFERENCES = 3

PIPED_COLUMNS = 200
"""Where no terminal says how wide it is, a table is not to be squeezed."""

UNBOUNDED_COLUMNS = 10_000
FOLDED_COLUMNS = 20
"""What a column needs that is folded; a narrower one could not be read."""

_TRAILING = re.compile(r" +$", re.MULTILINE)
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))
_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_THOUSAND_BYTES = 1024

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


class NoStoreError(click.ClickException):
    """Neither the environment nor the folder of `onfile up` says where the store is."""

    exit_code = WRONG_SETTINGS_STATUS


@contextmanager
def desk_of(data_dir: DataDir) -> Iterator[Desk]:
    """Open the stores that the settings name; a store that is away ends the command in a sentence.

    Ctrl-C ends it as well: nothing that these commands do is left half done.
    """
    values = environ(data_dir)
    if not values.get("REDIS_URL", "").strip():
        raise NoStoreError(_no_store(data_dir))
    settings = checked(values, "operator")
    logs.configure(
        fmt=settings.log_format,
        level=settings.log_level,
        secrets=settings.secrets,
        stream=sys.stderr,
    )
    try:
        with open_desk(settings) as desk:
            yield desk
    except BrokenPipeError:
        raise  # whoever read our output has read enough: click ends quietly
    except (*AWAY, redis.ResponseError) as error:
        if isinstance(error, redis.ResponseError) and not _is_about_the_password(error):
            raise
        raise click.ClickException(_cannot_be_asked(settings, error, data_dir)) from None
    except KeyboardInterrupt:
        raise click.ClickException("Stopped. It can be run again.") from None


def _no_store(data_dir: DataDir) -> str:
    lacks = f"{data_dir.env} names none" if data_dir.env.exists() else f"there is no {data_dir.env}"
    here = "" if data_dir.env.is_absolute() else " here"
    return (
        f"No store to look at: REDIS_URL is not set and {lacks}{here}. Run this where `onfile up` "
        "runs, or give --data-dir."
    )


def _cannot_be_asked(settings: Settings, error: Exception, data_dir: DataDir) -> str:
    places = {without_password(settings.redis_url), without_password(settings.projection_url)}
    where = " or ".join(sorted(places))
    if _is_about_the_password(error):
        return (
            f"The store at {where} asks for a password, or for another one. Write it into the "
            "address, as redis://:PASSWORD@HOST:PORT/0, in REDIS_URL (and ONFILE_PROJECTION_URL)."
        )
    nobody_there = isinstance(error, redis.ConnectionError) and not isinstance(
        error, redis.BusyLoadingError
    )
    mend = "Start it, or give the right address in REDIS_URL (and ONFILE_PROJECTION_URL)."
    if nobody_there and is_of_folder(settings.redis_url, data_dir):
        mend = f"`onfile up` of {data_dir.path} is not running; start it."
    return f"The store at {where} does not answer: {str(error).rstrip('.')}. {mend}"


def _is_about_the_password(error: Exception) -> bool:
    said = str(error).lower()
    return isinstance(error, redis.AuthenticationError) or any(
        word in said for word in ("noauth", "wrongpass", "authenticat", "invalid username-password")
    )


def print_json(value: Any) -> None:  # noqa: ANN401 - anything that can be encoded
    """Print one JSON object, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_json_list(name: str, items: Iterable[Any], rest: Callable[[], dict[str, Any]]) -> None:
    """Print one JSON object with a list in it, an item a line, each as soon as it is found.

    `rest` tells, when all are printed, what else the object holds.
    """
    click.echo(f'{{"{name}": [', nl=False)
    separator = "\n"
    for item in items:
        click.echo(separator + msgspec.json.encode(item).decode(), nl=False)
        separator = ",\n"
    more = "".join(f", {_json(key)}: {_json(value)}" for key, value in rest().items())
    click.echo(f"\n]{more}}}")


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


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
