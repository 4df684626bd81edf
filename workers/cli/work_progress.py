"""The progress of long work, on a terminal's standard error: how much, how fast, how long yet."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

SPEED_SECONDS = 10.0
"""The rate is that of the last so many seconds."""


class _Rate(ProgressColumn):
    """How fast it goes."""

    def render(self, task: Task) -> Text:
        """Return the rate; nothing before there is one."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


class WorkProgress:
    """One piece of work as it goes on."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task
        self._said = ""

    def at(self, done: int) -> None:
        """Show that so much is done."""
        self._progress.update(self._task, completed=done)

    def total(self, total: int) -> None:
        """Show how much there is, now that it is known."""
        self._progress.update(self._task, total=total)

    def say(self, text: str) -> None:
        """Show why it waits, or nothing; where nobody watches, say it once."""
        if self._progress.disable and text and text != self._said:
            click.echo(text, err=True)
        self._said = text
        self._progress.update(self._task, note=text)


@contextmanager
def work_progress(name: str, total: int | None) -> Iterator[WorkProgress]:
    """Show progress while there is a terminal to show it on, and clear it away at the end."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style="bold red"),
        console=Console(stderr=True),
        speed_estimate_period=SPEED_SECONDS,
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        yield WorkProgress(progress, progress.add_task(name, total=total, note=""))
