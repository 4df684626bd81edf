"""`--dry-run`: a replay rehearsed, and which answers would change."""

from collections.abc import Iterable, Sequence

from service.log.entry import Entry
from workers.cli import replay_report as report
from workers.cli.report import DIFFERENCES, TROUBLE
from workers.cli.work_progress import work_progress
from workers.operators.desk import Desk
from workers.operators.rehearsing import Rehearsal


def rehearse(
    desk: Desk,
    rounds: Iterable[list[Entry]],
    total: int | None,
    unknown: Sequence[str] = (),
    *,
    as_json: bool,
) -> None:
    """Apply these to an overlay and tell the differences; they end the command with 3."""
    rehearsal = Rehearsal(desk.projection)
    with work_progress("rehearsing", total) as progress:
        for entries in rounds:
            rehearsal.apply(entries)
            progress.at(rehearsal.outcomes.total())
    differing = report.tell_rehearsal(rehearsal, unknown, as_json=as_json)
    if unknown:
        raise SystemExit(TROUBLE)
    if differing:
        raise SystemExit(DIFFERENCES)
