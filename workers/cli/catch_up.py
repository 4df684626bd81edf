"""`onfile catch-up`: fetch from Stripe the events that never came."""

import click

from workers.cli import data_dir as folder
from workers.cli.asking_options import asking_options, stripe_of
from workers.cli.asking_progress import progress, waiting_for
from workers.cli.data_dir import DataDir
from workers.cli.moment_type import MOMENT
from workers.cli.report import TROUBLE, desk_of, json_option, print_json
from workers.operators import catch_up, caught_up
from workers.operators.catch_up import Progress
from workers.operators.caught_up import KEPT_SECONDS
from workers.operators.moments import iso


@click.command()
@click.option(
    "--since",
    type=MOMENT,
    help="From when on, as 2h, 7d or 2026-01-31.  [default: ten minutes before the last good "
    "moment; the first time all thirty days that Stripe keeps]",
)
@asking_options
@json_option
@folder.option
def command(  # noqa: PLR0913 - one option, one parameter
    since: float | None,
    mode: str | None,
    account: str,
    rate: float,
    *,
    as_json: bool,
    data_dir: DataDir,
) -> None:
    """Fetch from Stripe's Events API what was missed, and apply it.

    For the time after an outage, or after deliveries were refused. Events that the log has already
    are passed over. Ended in the middle, it goes on there when it is run again.
    """
    with desk_of(data_dir) as desk, stripe_of(desk, mode, account, rate) as api:
        before = caught_up.position(desk.log, api.namespace)
        lost = caught_up.is_beyond_reach(before, api.now())
        if since is not None and since < (oldest := api.now() - KEPT_SECONDS):
            click.echo(
                f"Stripe shows events for thirty days: this begins at {iso(oldest)}. For what is "
                "older: onfile backfill.",
                err=True,
            )
        done = Progress(looked_at=0, missing=0, share=0.0, reached="")
        with progress() as bar:
            task = bar.add_task("events", total=1.0, said="")
            for done in catch_up.catch_up(desk.log, api, since=since):
                said = waiting_for(done.waiting) or f"{done.looked_at:,}, missing {done.missing:,}"
                bar.update(task, completed=done.share, said=said)
        now_good = iso(caught_up.position(desk.log, api.namespace).until)
    if as_json:
        told = {"looked_at": done.looked_at, "missing": done.missing, "complete_until": now_good}
        print_json({"namespace": api.namespace.text, **told, "beyond_reach": lost})
    else:
        click.echo(f"{done.looked_at:,} events looked at, {done.missing:,} were missing.")
        click.echo(f"All that Stripe told until {now_good} is here.")
    if lost:
        click.echo(
            f"Before that, Stripe's events were last complete here at {iso(before.until)}, which "
            "is more than the thirty days that Stripe keeps: run onfile backfill as well.",
            err=True,
        )
        raise SystemExit(TROUBLE)
