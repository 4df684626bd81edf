"""A customer's timeline as people read it."""

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from service.timeline import Change, Teller, Timeline
from workers.cli.tables import facts
from workers.cli.wording import short_moment
from workers.operators.moments import iso

_BENEATH = (0, 0, 0, 4)
"""Where stands what belongs to a change: an event with its type and request fits 80 columns."""

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
    for change in timeline.changes:
        out.print()
        _print_change(out, change)
    if not timeline.whole:
        out.print(
            "\nOlder events have left the log (or its newest thousand were read): of them only "
            "what the document keeps is told, when sources came and went."
        )
    if not timeline.agrees:
        out.print(
            Text(
                "\nThe stored answer is not what today's rules make of the stored facts: another "
                "release derived it, or it holds what ONFILE_DROP_FIELDS drops since. Its next "
                "event, or onfile rebuild, derives it anew.",
                style="bold red",
            )
        )


def _print_change(out: Console, change: Change) -> None:
    """Print when and what, and beneath it why, and each event that told of it."""
    moment = short_moment(iso(change.created))
    out.print(Text.assemble((moment, "bold"), "  ", _what(change)))
    through = f"through {change.through}"
    tellers = [_teller(teller) for teller in change.events] or [through]
    for line in filter(None, [change.why, *tellers]):
        out.print(Padding(Text(line), _BENEATH, expand=False))


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


def _teller(teller: Teller) -> str:
    return " ".join(filter(None, (teller.id, teller.type, teller.request)))


def _several(between: list[str | None]) -> str:
    return ", ".join(source or "none" for source in between)
