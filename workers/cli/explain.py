"""`onfile explain`: why a customer's default is the default, and how it came to be so."""

import click

from workers.cli import data_dir as folder
from workers.cli.customer_choice import customer_argument, namespace_of
from workers.cli.data_dir import DataDir
from workers.cli.report import desk_of, json_option, print_json
from workers.cli.tables import console
from workers.cli.timeline_text import print_timeline
from workers.operators.timelines import Timelines


@click.command()
@customer_argument
@json_option
@folder.option
def command(
    customer: str, account: str, mode: str | None, *, as_json: bool, data_dir: DataDir
) -> None:
    """Explain a customer's default: every event, rule or reading that changed it or its sources.

    Times are Stripe's, in UTC; an event that came late stands where it belongs. The timeline is
    made of the events anew, so it knows what the log keeps (ONFILE_RETENTION_DAYS) and, of what is
    older, when sources came and went.
    """
    with desk_of(data_dir) as desk:
        advice = f"If Stripe has it, have it read: onfile reconcile --customer {customer} --repair"
        namespace = namespace_of(desk, customer, account, mode, advice=advice)
        timeline = Timelines(desk.log, desk.projection)(namespace, customer)
    if timeline is None:
        raise click.ClickException(f"No customer {customer} is known any more. {advice}")
    if as_json:
        print_json(timeline)
    else:
        print_timeline(console(), timeline)
