"""`onfile demo`: the whole service beside a Stripe, in bad weather, compared answer by answer."""

import asyncio
import json
import random

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from service.personal_fields import GROUPS
from service.sandbox.oracle import Compared
from service.sandbox.weather import Weather
from service.setting_values import several_of
from workers.cli.rehearsal import RehearsalError, Report, Result, play, running

SHUFFLE_SECONDS = 2.0
DUPLICATE_SHARE = 0.15
LOSE_SHARE = 0.05
SHOWN_MISMATCHES = 3


def _groups(_context: click.Context, _parameter: click.Parameter, text: str) -> tuple[str, ...]:
    """Read what the setting would be, and refuse what it would refuse."""
    try:
        return several_of(*GROUPS)(text) if text else ()
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from None


@click.command()
@click.option(
    "--operations",
    type=click.IntRange(1, 1_000_000),
    default=2000,
    show_default=True,
    help="How many operations on customers and their payment sources.",
)
@click.option("--seed", type=int, help="Have the operations and the weather of another run again.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="How many worker processes.",
)
@click.option(
    "--drop-fields",
    default="",
    callback=_groups,
    help="Have personal fields dropped, as ONFILE_DROP_FIELDS does.",
)
def command(operations: int, seed: int | None, workers: int, drop_fields: tuple[str, ...]) -> None:
    """Watch Onfile agree with Stripe in the worst of weather.

    Starts a store, a web process and workers in a folder that is removed afterwards, and a
    stand-in for Stripe. Does random operations there, while its webhooks arrive out of order,
    twice, or only when they are tried again. Then puts the same requests to both and compares the
    answers. Exits 1 if one differs that Onfile does not itself call ambiguous.
    """
    seed = random.randrange(1_000_000) if seed is None else seed  # noqa: S311 (no secret)
    weather = Weather(seed, shuffle=SHUFFLE_SECONDS, duplicate=DUPLICATE_SHARE, lose=LOSE_SHARE)
    console = Console()
    console.print(f"Weather: {weather}. Seed: {seed}.", highlight=False)
    try:
        with running(workers, drop_fields) as onfile, _progress(console) as progress:
            result = asyncio.run(
                play(
                    onfile,
                    operations=operations,
                    seed=seed,
                    weather=weather,
                    report=_reporting(progress),
                )
            )
    except RehearsalError as stuck:
        raise click.ClickException(str(stuck)) from None
    console.print(_table(result))
    wrong = [answer for answer in result.answers if answer.mismatch]
    for answer in wrong[:SHOWN_MISMATCHES]:
        console.print(_difference(answer), highlight=False, markup=False)
    if wrong:
        raise click.ClickException(
            f"{len(wrong)} answers are not Stripe's. To have them again: "
            f"onfile demo --operations {operations} --seed {seed}"
            + (f" --drop-fields {','.join(drop_fields)}" if drop_fields else "")
        )
    console.print("[green]Every answer is Stripe's, or says that events cannot tell.[/]")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:12}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _reporting(progress: Progress) -> Report:
    stages = {
        name: progress.add_task(name, total=None)
        for name in ("operations", "deliveries", "answers")
    }

    def report(stage: str, done: int, total: int) -> None:
        progress.update(stages[stage], completed=done, total=total)

    return report


def _table(result: Result) -> Table:
    answers = result.answers
    ambiguous = [answer for answer in answers if answer.ambiguous]
    events = len(result.happened)
    rows = {
        "operations": (result.operations, "on customers, cards, bank accounts and Sources"),
        "events": (events, f"delivered, applied and settled in {result.seconds:.1f} s"),
        "ties": (result.tied, "events that share their second with another of the customer"),
        "out of order": (result.late, "arrived after an event that had happened later"),
        "duplicates": (result.tally.duplicates, "arrived twice"),
        "lost at first": (result.tally.lost, "arrived only when tried again"),
        "answers": (len(answers), "the same request to both, compared as JSON"),
        "ambiguous": (
            len(ambiguous),
            f"say that events cannot tell; {sum(not a.same for a in ambiguous)} of them differ",
        ),
        "mismatches": (sum(a.mismatch for a in answers), "differ and do not say so"),
    }
    table = Table(title="Onfile beside Stripe", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    for name, (number, meaning) in rows.items():
        table.add_row(name, f"{number:,}", meaning)
    return table


def _difference(answer: Compared) -> str:
    return (
        f"GET {answer.path}\n"
        f"  Stripe: {json.dumps(answer.expected)}\n"
        f"  Onfile: {json.dumps(answer.found)}"
    )
