"""`onfile forget`: erase a customer from all that Onfile keeps."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
import structlog
from rich.console import Console
from rich.status import Status

from service.keys import Namespace
from workers.cli import data_dir as folder
from workers.cli.customer_choice import customer_argument, namespace_of
from workers.cli.data_dir import DataDir
from workers.cli.forget_tables import print_forgotten, print_person
from workers.cli.report import TROUBLE, desk_of, json_option, print_json
from workers.cli.tables import console
from workers.operators import forgetting, person
from workers.operators.desk import Desk

log = structlog.get_logger()


@click.command()
@customer_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be erased.")
@json_option
@folder.option
def command(  # noqa: PLR0913 - one option, one parameter
    customer: str,
    account: str,
    mode: str | None,
    *,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    data_dir: DataDir,
) -> None:
    """Erase a customer: documents, events, timeline, notes. This cannot be undone.

    What is left are tombstones: its id and those of its sources, so that nothing that comes later
    can bring it back. From then on it is answered as a deleted customer. The stores write their
    files anew, so that these hold it no more either. Run again it does no harm. With --mode also
    a customer is looked for that only the event log may know.
    """
    with desk_of(data_dir) as desk:
        namespace = _namespace(desk, customer, account, mode)
        with _waiting() as waiting:
            found = person.find(desk, namespace, customer, progress=waiting.looked_at)
        if dry_run or not (yes or as_json):
            if as_json:
                print_json(found)
            else:
                print_person(console(), found)
        if dry_run:
            return
        if not yes:
            _confirm(customer)
        with _waiting() as waiting:
            done = forgetting.forget(
                desk, found, progress=waiting.looked_at, waits=waiting.rewriting
            )
    if not sys.stderr.isatty():
        log.info("customer.forgotten", customer=customer, entries=done.erased_entries)
    if as_json:
        print_json(done)
    else:
        print_forgotten(console(), done)
    if not done.complete:
        sys.exit(TROUBLE)


def _namespace(desk: Desk, customer: str, account: str, mode: str | None) -> Namespace:
    """Return where to look: where it is known, or where the operator says."""
    return Namespace(account, mode) if mode else namespace_of(desk, customer, account, mode)


def _confirm(customer: str) -> None:
    if not sys.stdin.isatty():
        raise click.ClickException(f"This would erase {customer} for good. Say so with --yes.")
    click.confirm(f"Erase {customer} for good?", abort=True, err=True)


class _Waiting:
    """Says what is waited for."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._looked_at = 0

    def looked_at(self, entries: int) -> None:
        self._looked_at += entries
        self._status.update(f"looking through the event log: {self._looked_at:,} events")

    def rewriting(self, address: str) -> None:
        self._status.update(f"waiting until the store at {address} has written its files anew")


@contextmanager
def _waiting() -> Iterator[_Waiting]:
    with Console(stderr=True).status("looking through the event log") as status:
        yield _Waiting(status)
