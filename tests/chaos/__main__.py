"""`make chaos`: put the whole service through every fault, and count what was lost or wrong."""

import random
import signal
import sys
from functools import partial

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from tests.chaos.faults.table import FAULTS
from tests.chaos.ordeal import Plan, undergo
from tests.chaos.report import explain, table
from tests.chaos.verdict import Verdict


@click.command()
@click.option(
    "--fault",
    "names",
    type=click.Choice(list(FAULTS)),
    multiple=True,
    help="Only this one; may be given several times.",
)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option(
    "--events",
    type=click.IntRange(1),
    default=300,
    show_default=True,
    help="How many events are delivered in each round.",
)
@click.option("--seed", type=int, help="Have the operations and the instants of another run again.")
@click.option("--list", "listing", is_flag=True, help="Say what there is, and do nothing.")
def command(
    *, names: tuple[str, ...], rounds: int, events: int, seed: int | None, listing: bool
) -> None:
    """Put real processes through faults under load, and count from the outside.

    Exits 1 if an acknowledged event was lost, an answer is wrong, or the service was not well
    again within 30 seconds.
    """
    # as after Ctrl-C, no process is left behind
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    console = Console()
    if listing:
        for name, kind in FAULTS.items():
            what = str(kind.__doc__).partition("\n")[0]
            console.print(f"{name:20} {what}", highlight=False, soft_wrap=True)
        return
    seed = random.randrange(1_000_000) if seed is None else seed  # noqa: S311 (no secret)
    chosen = names or tuple(FAULTS)
    console.print(f"Seed: {seed}.", highlight=False)
    verdicts: list[Verdict] = []
    try:
        with _progress(console) as progress:
            for name in chosen:
                if lacking := FAULTS[name].lacks():
                    progress.console.print(f"{name} is left out: {lacking}", highlight=False)
                    continue
                task = progress.add_task(name, total=rounds)
                report = partial(_report, progress, task)
                verdicts.append(undergo(Plan(name, rounds, events, seed), report))
    finally:
        console.print(table(verdicts))
    broken = [verdict for verdict in verdicts if not verdict.held]
    for verdict in broken:
        explain(console, verdict, Plan(verdict.fault, verdict.rounds, events, seed))
    sys.exit(1 if broken else 0)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:20}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _report(progress: Progress, task: TaskID, verdict: Verdict) -> None:
    progress.update(task, completed=verdict.rounds)


if __name__ == "__main__":
    command()
