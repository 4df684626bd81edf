"""How far a command that asks Stripe has come, on standard error while somebody looks."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


def progress() -> Progress:
    """Return a bar, a text, and how long yet; nothing is shown where there is no terminal."""
    out = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    )


def waiting_for(number: int) -> str:
    """Return why nothing is read just now."""
    return f"waiting: {number:,} are not applied yet" if number else ""
