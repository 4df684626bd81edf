"""`--dry-run`: a replay rehearsed, and which answers would change."""

from collections.abc import Iterable

from service.log.entry import Entry
from workers.cli import replay_report as report
from workers.cli.replay_report import NOTHING_BESIDE, Beside
from workers.cli.report import DIFFERENCES, TROUBLE
from workers.cli.work_progress import work_progress
from workers.operators.desk import Desk
from workers.operators.rehearsing import Rehearsal


def rehearse(
    desk: Desk,
    rounds: Iterable[list[Entry]],
    total: int | None,
    beside: Beside = NOTHING_BESIDE,
    *,
    as_json: bool,
) -> None:
    """Apply these to an overlay and tell the differences; they end the command with 3.

    `beside` is what was asked for with them; it may grow while the rounds are read.
    """
    rehearsal = Rehearsal(desk.projection)
    with work_progress("rehearsing", total) as progress:
        for entries in rounds:
            rehearsal.apply(entries)
            progress.at(rehearsal.outcomes.total())
    differing = report.tell_rehearsal(rehearsal, beside, as_json=as_json)
    if beside.unknown:
        raise SystemExit(TROUBLE)
    if differing:
        raise SystemExit(DIFFERENCES)
