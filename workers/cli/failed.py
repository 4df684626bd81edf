"""`onfile failed`: the dead letters, looked at, tried again, given up."""

import sys
from collections.abc import Iterable, Sequence
from itertools import islice

import click
import structlog
from rich.console import Console
from rich.progress import track

from workers.cli import data_dir as folder
from workers.cli.data_dir import DataDir
from workers.cli.dead_letter_tables import MANY, print_list, print_story, tell
from workers.cli.in_order import InOrder
from workers.cli.report import desk_of, json_option, print_json, print_json_list
from workers.cli.tables import console
from workers.cli.wording import counted
from workers.operators import dead_letters
from workers.operators.dead_letters import Treated
from workers.operators.desk import Desk

log = structlog.get_logger()

dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would be done.")
ids_argument = click.argument("event_ids", metavar="[EVENT]...", nargs=-1)
reason_option = click.option("--reason", help="Only those whose last attempt failed for this.")
all_option = click.option("--all", "everything", is_flag=True, help="All dead letters.")


@click.group(cls=InOrder)
def command() -> None:
    """Look at the dead letters, events that failed for good; retry them, or give them up."""


@command.command("list", short_help="List them, with reasons.")
@reason_option
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=50,
    show_default=True,
    help="How many at most; 0 for all.",
)
@json_option
@folder.option
def list_failed(reason: str | None, limit: int, *, as_json: bool, data_dir: DataDir) -> None:
    """List the dead letters, the one that failed last first."""
    with desk_of(data_dir) as desk:
        letters = dead_letters.dead_letters(desk.log, reason=reason)
        shown = islice(letters, limit) if limit else letters
        if as_json:
            print_json_list("failed", shown, lambda: {"more": next(letters, None) is not None})
            return
        listed = list(shown)
        more = next(letters, None) is not None
    print_list(console(), listed, reason=reason, more=more)


@command.command("show", short_help="Show one: attempts, traceback.")
@click.argument("event_id", metavar="EVENT")
@json_option
@folder.option
def show_failed(event_id: str, *, as_json: bool, data_dir: DataDir) -> None:
    """Show why an event failed: every attempt, and the traceback of the last one."""
    with desk_of(data_dir) as desk:
        found = dead_letters.inspect(desk, event_id)
        states = [one.state for one in dead_letters.named(desk.log, [event_id]) if one.state]
    if not found:
        if not states:
            raise click.ClickException(f"{event_id} is no dead letter: it is not in the log.")
        stands = " and ".join(sorted(set(states)))
        raise click.ClickException(
            f"{event_id} is no dead letter: it is {stands}. "
            f"onfile events show {event_id} says more."
        )
    if as_json:
        print_json({"failed": found})
    else:
        for story in found:
            print_story(console(), story)


@command.command("retry", short_help="Have them tried again.")
@ids_argument
@all_option
@reason_option
@dry_run_option
@json_option
@folder.option
def retry_failed(  # noqa: PLR0913 - one option, one parameter
    event_ids: tuple[str, ...],
    reason: str | None,
    *,
    everything: bool,
    dry_run: bool,
    as_json: bool,
    data_dir: DataDir,
) -> None:
    """Have dead letters tried again at once, by the workers; their history is kept.

    Name events, or choose them with --all or --reason. What fails again is a dead letter again. A
    discarded event that is named is tried as well.
    """
    _check_choice(event_ids, everything=everything, reason=reason)
    with desk_of(data_dir) as desk:
        chosen = _chosen(desk, event_ids, reason)
        done = [
            dead_letters.retry(desk.log, one, dry_run=dry_run)
            for one in _with_progress(chosen, "retrying")
        ]
    tell(done, "retried", dry_run=dry_run, as_json=as_json)


@command.command("discard", short_help="Give them up; they stay in the log.")
@ids_argument
@all_option
@reason_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@dry_run_option
@json_option
@folder.option
def discard_failed(  # noqa: PLR0913 - one option, one parameter
    event_ids: tuple[str, ...],
    reason: str | None,
    *,
    everything: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    data_dir: DataDir,
) -> None:
    """Give up dead letters: they stay in the log as discarded, and the answers go without them.

    Name events, or choose them with --all or --reason, which asks first.
    """
    _check_choice(event_ids, everything=everything, reason=reason)
    with desk_of(data_dir) as desk:
        chosen = _chosen(desk, event_ids, reason)
        if chosen and not (event_ids or yes or dry_run):
            _confirm(len(chosen))
        note = log.debug if sys.stderr.isatty() else log.info  # a person is told below
        done = []
        for one in _with_progress(chosen, "discarding"):
            done.append(dead_letters.discard(desk.log, one, dry_run=dry_run))
            if done[-1].verdict == "discarded" and not dry_run:
                note("event.discarded", event_id=one.event, reason=one.reason)
    tell(done, "discarded", dry_run=dry_run, as_json=as_json)


def _check_choice(event_ids: Sequence[str], *, everything: bool, reason: str | None) -> None:
    if event_ids and (everything or reason):
        raise click.UsageError("Name events, or choose them with --all or --reason: not both.")
    if not (event_ids or everything or reason):
        raise click.UsageError("Name events (evt_…), or choose them with --all or --reason.")


def _chosen(desk: Desk, event_ids: Sequence[str], reason: str | None) -> list[Treated]:
    if event_ids:
        return list(dead_letters.named(desk.log, event_ids))
    letters = dead_letters.dead_letters(desk.log, reason=reason, oldest_first=True)
    return [dead_letters.treated(letter) for letter in letters]


def _confirm(number: int) -> None:
    events = counted(number, "event")
    if not sys.stdin.isatty():
        raise click.ClickException(f"This would discard {events}. Say so with --yes.")
    click.confirm(f"Discard {events}?", abort=True, err=True)


def _with_progress(chosen: list[Treated], doing: str) -> Iterable[Treated]:
    if len(chosen) < MANY:
        return chosen
    return track(chosen, description=doing, console=Console(stderr=True))
