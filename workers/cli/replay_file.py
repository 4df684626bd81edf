"""`--from-file`: events that Stripe's dashboard exported, into the log without a signature."""

import click

from service.log.entry import unlogged
from workers.cli import replay_report as report
from workers.cli.event_files import events_in
from workers.cli.rehearse import rehearse
from workers.cli.report import TROUBLE
from workers.cli.work_progress import work_progress
from workers.draining import ROUND_EVENTS
from workers.operators import vouching
from workers.operators.desk import Desk
from workers.operators.vouching import Vouched


def replay_file(desk: Desk, content: bytes, *, dry_run: bool, as_json: bool) -> None:
    """Append a file's events and wait until they are applied; what is none is told and refused."""
    held = vouching.read(events_in(content), desk.drop)
    report.tell_refused(held.refused)
    if dry_run:
        entries = [unlogged(n, *event) for n, event in enumerate(held.events)]
        rounds = (entries[n : n + ROUND_EVENTS] for n in range(0, len(entries), ROUND_EVENTS))
        rehearse(desk, rounds, len(entries), as_json=as_json)
    else:
        vouched = _append(desk, held)
        report.tell_file(held, vouched, as_json=as_json)
    if held.refused:
        raise SystemExit(TROUBLE)


def _append(desk: Desk, held: vouching.Read) -> Vouched:
    report.warn_of_no_worker(desk)
    vouched = Vouched()
    try:
        with work_progress("appending", len(held.events)) as progress:
            for vouched in vouching.append(desk.log, held.events):
                progress.at(vouched.accepted + vouched.duplicates)
        with work_progress("applying", vouched.accepted) as progress:
            for pending in vouching.await_applied(desk.log, vouched.last):
                progress.at(max(0, vouched.accepted - pending))
    except KeyboardInterrupt:
        raise click.ClickException(_stopped(vouched, len(held.events))) from None
    return vouched


def _stopped(vouched: Vouched, number: int) -> str:
    rest = number - vouched.accepted - vouched.duplicates
    if not rest:
        return "Stopped waiting. All of the file is in the log, and is applied like anything there."
    return (
        f"Stopped. {vouched.accepted} of {number} events came into the log and are applied like "
        f"any other. Run it again for the other {rest}: nothing is taken twice."
    )
