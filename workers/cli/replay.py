"""`onfile replay`: events applied again, from the log or from a file."""

from collections import Counter
from collections.abc import Sequence
from typing import BinaryIO

import click

from service.log import replay_queue
from workers.cli import data_dir as folder
from workers.cli import replay_report as report
from workers.cli.data_dir import DataDir
from workers.cli.entry_type import ENTRY
from workers.cli.moment_type import MOMENT
from workers.cli.rehearse import rehearse
from workers.cli.replay_file import replay_file
from workers.cli.replay_run import Choice, follow
from workers.cli.report import TROUBLE, desk_of, json_option
from workers.operators import replays
from workers.operators.desk import Desk
from workers.operators.rehearsing import entries_of
from workers.operators.search import Wanted


@click.command()
@click.argument("event_ids", metavar="[EVENT]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything that the log holds.")
@click.option("--type", "event_type", help="Events of this type; * stands for anything.")
@click.option("--customer", help="Events about this customer (cus_…).")
@click.option("--since", type=MOMENT, help="Received at or after: 2h, 7d, or a date and time.")
@click.option("--until", type=MOMENT, help="Received before.")
@click.option("--failed", is_flag=True, help="Dead letters.")
@click.option("--after", type=ENTRY, help="Go on after this entry, as a stopped replay said.")
@click.option("--from-file", type=click.File("rb"), help="Events of a file (- for standard input).")
@click.option("--rate", type=click.FloatRange(0.1), help="Not more than so many events a second.")
@click.option("--dry-run", is_flag=True, help="Write nothing; say which answers would change.")
@click.option("--cancel", is_flag=True, help="Drop what is queued for replay, and do no more.")
@json_option
@folder.option
def command(  # noqa: PLR0913 - one option, one parameter
    *,
    event_ids: tuple[str, ...],
    event_type: str | None,
    customer: str | None,
    since: float | None,
    until: float | None,
    after: str | None,
    from_file: BinaryIO | None,
    rate: float | None,
    everything: bool,
    failed: bool,
    dry_run: bool,
    cancel: bool,
    as_json: bool,
    data_dir: DataDir,
) -> None:
    """Have events applied again by the workers, after all new ones; waits until that is done.

    Name events, or choose them: --type, --customer, --since, --until and --failed are taken
    together. It changes no answer that was right, however often it is done. Left alone is what is
    pending or being tried again anyway, and what was discarded, unless it is named.

    --from-file takes what onfile send takes, as exported from Stripe: it needs no signature, since
    you vouch for it. What the log has already is not taken again.

    Ctrl-C stops it: the few thousand events that are queued by then are still applied, unless
    --cancel drops them. Exits 1 when an event is not in the log or fails, 3 when --dry-run finds
    answers that would change.
    """
    wanted = Wanted(
        type=event_type,
        customer=customer,
        state="failed" if failed else None,
        since=since,
        until=until,
    )
    filtered = wanted != Wanted()
    ways = [bool(event_ids), everything, filtered, from_file is not None, cancel]
    if sum(ways) != 1:
        raise click.UsageError(
            "Name events (evt_…), or choose them with --type, --customer, --since, --until and "
            "--failed, or take --all, or --from-file, or --cancel: one of these ways."
        )
    if rate and (from_file or dry_run or cancel):
        raise click.UsageError("--rate is for what is applied again; it has no use here.")
    if dry_run and cancel:
        raise click.UsageError("--cancel drops what is queued, at once: it has no rehearsal.")
    if after and not (everything or filtered):
        raise click.UsageError("--after goes on with --all, or with what was chosen.")
    with desk_of(data_dir) as desk:
        if cancel:
            report.tell_dropped(replay_queue.drop(desk.log), as_json=as_json)
            return
        if from_file:
            replay_file(desk, from_file.read(), dry_run=dry_run, as_json=as_json)
            return
        choice = _choice(desk, event_ids, wanted, after)
        if dry_run:
            left_alone: Counter[str] = Counter()
            skipping = replays.skips(by_name=choice.by_name)
            found = entries_of(desk.log, replays.without(choice.found, skipping, left_alone))
            beside = report.Beside(choice.unknown, left_alone)
            rehearse(desk, found, choice.total, beside, as_json=as_json)
        else:
            replayed = follow(desk, choice, rate=rate)
            report.tell(replayed, as_json=as_json)
            if replayed.trouble:
                raise SystemExit(TROUBLE)


def _choice(desk: Desk, event_ids: Sequence[str], wanted: Wanted, after: str | None) -> Choice:
    if event_ids:
        found, unknown = replays.named(desk.log, event_ids)
        return Choice(found, by_name=True, total=len(found), unknown=unknown)
    total = replays.length(desk.log) if wanted == Wanted() and not after else None
    found_later = replays.chosen(desk.log, wanted, after=after)
    return Choice(found_later, by_name=False, total=total)
