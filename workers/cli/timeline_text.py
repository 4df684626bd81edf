"""A customer's timeline as people read it."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from service.timeline import Change, Teller, Timeline
from workers.cli.report import facts, print_whole, short_moment
from workers.operators.moments import iso

COLUMNS = ("when", "what", "through", "event", "type", "request", "why")
DISPENSABLE = ("request", "type", "through")
"""Columns that a narrow terminal goes without, the first one first."""

_STYLES = {"confirmed": "green", "inferred": "yellow", "ambiguous": "bold yellow"}


def print_timeline(out: Console, timeline: Timeline) -> None:
    """Print why the default is the default, and then every change, the oldest first."""
    where = f"{timeline.mode} mode" + (f", account {timeline.account}" if timeline.account else "")
    out.print(
        facts(
            [
                ("customer", timeline.customer + (", deleted" if timeline.deleted else "")),
                ("namespace", where),
                ("default", timeline.default_source or "none"),
                ("basis", Text(timeline.basis, style=_STYLES.get(timeline.basis, ""))),
                ("why", timeline.why or "-"),
                *([("between", _several(timeline.between))] if timeline.between else []),
            ]
        )
    )
    out.print()
    rows = [row for change in timeline.changes for row in _rows(change)]
    print_whole(out, *COLUMNS, rows=rows, dispensable=DISPENSABLE, folding="why")
    if not timeline.whole:
        out.print(
            "\nOlder events have left the log (or its newest thousand were read): of them only "
            "what the document keeps is told, when sources came and went."
        )
    if not timeline.agrees:
        out.print(
            Text(
                "\nThe stored answer is not what today's rules make of the stored facts: another "
                "release derived it. Its next event, or onfile rebuild, derives it anew.",
                style="bold red",
            )
        )


def _rows(change: Change) -> Iterator[tuple[str, ...]]:
    """Yield a row for a change, and one for each further event that told of it."""
    moment = short_moment(iso(change.created))
    tellers = [_teller(teller) for teller in change.events] or [("-", "-", "-")]
    yield (moment, _what(change), change.through, *tellers[0], change.why or "")
    for teller in tellers[1:]:
        yield ("", "", "", *teller, "")


def _what(change: Change) -> str:
    now = f"{change.default_source or 'none'} ({change.basis})"
    match change.type:
        case "customer.first_seen":
            return "first seen"
        case "customer.deleted" | "customer.forgotten":
            return change.type.replace(".", " ")
        case "default.changed":
            return f"default {change.previous_default_source or 'none'} → {now}"
        case "basis.changed":
            return f"default stays {now}"
        case "source.changed":
            return f"{change.source} changed: {', '.join(change.fields)}"
        case _:
            return f"{change.source} {change.type.removeprefix('source.')}"


def _teller(teller: Teller) -> tuple[str, str, str]:
    return teller.id, teller.type, teller.request or "-"


def _several(between: list[str | None]) -> str:
    return ", ".join(source or "none" for source in between)
