"""`onfile rebuild`: every answer derived again, after a rule was mended."""

from collections.abc import Iterable
from typing import Any

import click

from workers.cli import data_dir as folder
from workers.cli import replay_report as report
from workers.cli.data_dir import DataDir
from workers.cli.difference_tables import Counted, print_differences
from workers.cli.moment_type import MOMENT
from workers.cli.replay_run import Choice, Replayed, follow
from workers.cli.report import (
    DIFFERENCES,
    TROUBLE,
    desk_of,
    json_option,
    print_json,
    print_json_list,
)
from workers.cli.tables import console
from workers.cli.wording import counted
from workers.cli.work_progress import work_progress
from workers.operators import rebuilding, replays
from workers.operators.desk import Desk
from workers.operators.overlay import Overlay
from workers.operators.rebuilding import Rebuilt
from workers.operators.search import Wanted


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; say which answers would change.")
@click.option(
    "--since",
    type=MOMENT,
    help="Afterwards replay what was received at or after: 2h, 7d, or a date and time.",
)
@json_option
@folder.option
def command(since: float | None, *, check: bool, as_json: bool, data_dir: DataDir) -> None:
    """Derive every answer again from the stored facts, and store those that differ.

    For after a release that has mended a rule. Events go on being applied meanwhile, and a rebuild
    that was stopped is run again: what is right already is not written. Where the handlers were
    mended too, --since replays the events that the old ones have read; onfile replay does the same.

    Exits 1 when a document cannot be read, 3 when --check finds answers that would change.
    """
    if check and since is not None:
        raise click.UsageError(
            "--check only compares; what a replay would change says onfile replay --dry-run."
        )
    with desk_of(data_dir) as desk:
        if check:
            _check(desk, as_json=as_json)
            return
        rebuilt = _followed(rebuilding.rebuild(desk))
        if not as_json:
            _tell(rebuilt)
        replayed = _replay(desk, since) if since is not None else None
        if as_json:
            told = report.as_object(replayed) if replayed else None
            print_json(_numbers(rebuilt) | {"replay": told})
        elif replayed:
            report.tell(replayed, as_json=False)
    if rebuilt.unreadable or (replayed and replayed.trouble):
        raise SystemExit(TROUBLE)


def _check(desk: Desk, *, as_json: bool) -> None:
    overlay = Overlay(desk.projection)
    rebuilt = _followed(rebuilding.check(desk, overlay))
    differences = Counted(overlay.differences())
    if as_json:
        print_json_list("differences", differences, lambda: _numbers(rebuilt))
    else:
        print_differences(console(), differences)
        _tell_looked_at(rebuilt)
        click.echo(f"{counted(differences.number, 'answer')} would change. Nothing was written.")
    if rebuilt.unreadable:
        raise SystemExit(TROUBLE)
    if differences.number:
        raise SystemExit(DIFFERENCES)


def _replay(desk: Desk, since: float) -> Replayed:
    return follow(desk, Choice(replays.chosen(desk.log, Wanted(since=since)), by_name=False))


def _followed(course: Iterable[Rebuilt]) -> Rebuilt:
    """Follow a rebuild to its end. Stopped in between, it has done what it says."""
    rebuilt = Rebuilt()
    with work_progress("deriving again", None) as progress:
        for rebuilt in course:
            progress.at(rebuilt.sources + rebuilt.customers)
    return rebuilt


def _tell(rebuilt: Rebuilt) -> None:
    _tell_looked_at(rebuilt)
    click.echo(f"{rebuilt.changed:,} of them were not what they should be, and are now.")


def _tell_looked_at(rebuilt: Rebuilt) -> None:
    sources, customers = counted(rebuilt.sources, "source"), counted(rebuilt.customers, "customer")
    click.echo(f"Derived again: {sources}, {customers}.")
    for one in rebuilt.unreadable:
        where = f"{one.mode} mode" + (f", account {one.account}" if one.account else "")
        click.echo(
            f"no answer can be derived of {one.id} ({where}): {one.problem or one.reason}", err=True
        )


def _numbers(rebuilt: Rebuilt) -> dict[str, Any]:
    return {
        "sources": rebuilt.sources,
        "customers": rebuilt.customers,
        "changed": rebuilt.changed,
        "unreadable": rebuilt.unreadable,
    }
