"""Dead letters as people read them: a list, one with its story, and what was done with some."""

from collections import Counter
from collections.abc import Sequence

import click
from rich.console import Console
from rich.text import Text

from workers.cli.report import TROUBLE, print_json
from workers.cli.tables import facts, print_whole, table
from workers.cli.wording import moment_in_list, short_moment
from workers.operators.dead_letters import DeadLetter, DeadLetterStory, Treated

DISPENSABLE = ("object", "customer", "attempts", "type")
"""Columns that a narrow terminal goes without, the first one first."""

MANY = 500
"""From here on progress is shown, and events are not listed one by one."""


def print_list(
    out: Console, letters: Sequence[DeadLetter], *, reason: str | None, more: bool
) -> None:
    """Print dead letters, and what to do with them."""
    if not letters:
        out.print("No dead letters." if reason is None else f"No dead letters with {reason}.")
        return
    columns = ("failed", "event", "reason", "attempts", "type", "customer", "object")
    print_whole(out, *columns, rows=[_row(one) for one in letters], dispensable=DISPENSABLE)
    if more:
        out.print("\nThere are more: --limit 0 for all.")
    out.print(
        "\nonfile failed show EVENT says more.\nOnce the cause is mended: onfile failed retry --all"
    )


def print_story(out: Console, story: DeadLetterStory) -> None:
    """Print all that is known of a dead letter."""
    letter = story.letter
    out.print(
        facts(
            [
                ("event", letter.event),
                ("type", letter.type),
                ("reason", Text(letter.reason, style="bold red")),
                ("received", short_moment(letter.received)),
                ("failed", short_moment(letter.failed)),
                ("customer", letter.customer or "-"),
                ("object", letter.object or "-"),
            ]
        )
    )
    out.print()
    rows = [(short_moment(one.at), one.reason) for one in story.attempts]
    out.print(table("attempt", "reason", rows=rows))
    out.print()
    out.print(Text(story.traceback or "RQ holds no traceback of it any more."), soft_wrap=True)


def tell(done: Sequence[Treated], word: str, *, dry_run: bool, as_json: bool) -> None:
    """Print what was done, or would be; an event that nobody knows ends the command in trouble."""
    counts = Counter(one.verdict for one in done)
    unknown = [one.event for one in done if one.verdict == "unknown"]
    number = sum(one.verdict == word for one in done)
    if as_json:
        print_json({word: number, "dry_run": dry_run, "events": done})
    elif not done:
        click.echo("No such dead letter. What there is: onfile failed list")
    else:
        for one in done if len(done) < MANY else []:
            click.echo(f"{one.event}  {_says(one, dry_run=dry_run)}")
        click.echo(f"{number} {'would be ' if dry_run else ''}{word} (of {len(done)}).")
        if counts["retried"] and not dry_run:
            click.echo(
                "They are being tried (onfile events list --state retrying). What fails again is "
                "back in `onfile failed list` in a moment."
            )
    if unknown:
        raise SystemExit(TROUBLE)


def _says(one: Treated, *, dry_run: bool) -> str:
    if one.verdict == "unknown":
        return "is not in the log"
    if one.verdict == "not_failed":
        return f"left alone: it is {one.state}"
    return f"{'would be ' if dry_run else ''}{one.verdict} ({one.reason})"


def _row(letter: DeadLetter) -> tuple[object, ...]:
    return (
        moment_in_list(letter.failed),
        letter.event,
        Text(letter.reason, style="bold red"),
        letter.attempts,
        letter.type,
        letter.customer,
        letter.object,
    )
