"""`onfile events`: what came in, found again, and what became of it."""

import click

from workers.cli import data_dir as folder
from workers.cli.data_dir import DataDir
from workers.cli.entry_type import ENTRY
from workers.cli.event_tables import Page, print_list, print_story
from workers.cli.in_order import InOrder
from workers.cli.moment_type import MOMENT
from workers.cli.report import desk_of, json_option, print_json, print_json_list
from workers.cli.tables import console
from workers.cli.wording import not_in_log
from workers.operators.search import STATES, Wanted, search
from workers.operators.story import stories


@click.group(cls=InOrder)
def command() -> None:
    """Search the event log; show one event with everything that became of it."""


@command.command("list", short_help="Search the log.")
@click.option("--type", "event_type", help="The event's type; * stands for anything.")
@click.option("--customer", help="The customer it is about (cus_…).")
@click.option("--object", "object_id", help="The object it carries (card_…, src_…, cus_…).")
@click.option("--request", help="The request that caused it (req_…).")
@click.option("--state", type=click.Choice(STATES), help="Where it stands.")
@click.option("--since", type=MOMENT, help="Received at or after: 2h, 7d, or a date and time.")
@click.option("--until", type=MOMENT, help="Received before.")
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=50,
    show_default=True,
    help="How many at most; 0 for all.",
)
@click.option("--oldest-first", is_flag=True, help="Begin with the oldest, not with the newest.")
@click.option("--after", type=ENTRY, help="Go on after this entry, as a list before said.")
@json_option
@folder.option
def list_events(  # noqa: PLR0913 - one option, one parameter
    *,
    event_type: str | None,
    customer: str | None,
    object_id: str | None,
    request: str | None,
    state: str | None,
    since: float | None,
    until: float | None,
    limit: int,
    oldest_first: bool,
    after: str | None,
    as_json: bool,
    data_dir: DataDir,
) -> None:
    """List events of the log, newest first.

    Times are those of their receipt, in UTC. Searching by request is immediate; for all else the
    log is read through, a hundred thousand events in about a second: --since makes it shorter.
    """
    wanted = Wanted(
        type=event_type,
        customer=customer,
        object=object_id,
        request=request,
        state=state,
        since=since,
        until=until,
    )
    with desk_of(data_dir) as desk:
        listed = Page(search(desk.log, wanted, oldest_first=oldest_first, after=after), limit)
        if as_json:
            print_json_list("events", listed, lambda: {"after": listed.after})
        else:
            print_list(console(), listed)


@command.command("show", short_help="Show one, and what became of it.")
@click.argument("event_id", metavar="EVENT")
@json_option
@folder.option
def show_event(event_id: str, *, as_json: bool, data_dir: DataDir) -> None:
    """Show an event: its envelope, its attempts, its facts, and which of them the answers hold.

    The envelope is what Stripe sent, people's names and addresses included; client secrets are
    masked.
    """
    with desk_of(data_dir) as desk:
        found = stories(desk, event_id)
        if not found:
            raise click.ClickException(not_in_log(event_id))
        if as_json:
            print_json({"events": found})
        else:
            for story in found:
                print_story(console(), story)
