"""`onfile backfill`: read every customer and its sources from Stripe."""

import click

from workers.cli import data_dir as folder
from workers.cli.asking_options import asking_options, stripe_of
from workers.cli.asking_progress import progress, waiting_for
from workers.cli.data_dir import DataDir
from workers.cli.report import desk_of, json_option, print_json
from workers.cli.wording import counted
from workers.operators import backfill


@click.command()
@click.option("--restart", is_flag=True, help="Begin anew, not where the last run stopped.")
@asking_options
@json_option
@folder.option
def command(  # noqa: PLR0913 - one option, one parameter
    mode: str | None,
    account: str,
    rate: float,
    *,
    restart: bool,
    as_json: bool,
    data_dir: DataDir,
) -> None:
    """Read all customers and their sources from Stripe, and apply what was read.

    For what was there before Onfile was, and for answers that no event in the log can rebuild. It
    may run under live traffic: what happens meanwhile outranks what was read before. Ended in the
    middle, it goes on there when it is run again.
    """
    with desk_of(data_dir) as desk, stripe_of(desk, mode, account, rate) as api:
        if restart:
            backfill.begin_anew(desk.log, api.namespace)
        resumed = backfill.position(desk.log, api.namespace).customers
        customers = sources = 0
        with progress() as bar:
            task = bar.add_task("customers", total=None, said="")
            for done in backfill.backfill(desk.log, desk.projection, api):
                customers, sources = done.customers, done.sources
                said = f"{customers:,}, {done.customers_per_second:,.0f}/s"
                said = waiting_for(done.waiting) or said
                bar.update(task, completed=customers, total=done.of, said=said)
    if as_json:
        told = {"customers": customers, "resumed_after": resumed, "sources": sources}
        print_json({"namespace": api.namespace.text, **told})
        return
    before = f", {resumed:,} of them in an earlier run" if resumed else ""
    click.echo(f"{counted(customers, 'customer')} read{before}; {counted(sources, 'source')}.")
