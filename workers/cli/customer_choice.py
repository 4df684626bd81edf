"""How a command is told which customer is meant: its id, and where needed account and mode."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from service.keys import Namespace
from workers.operators.desk import Desk
from workers.operators.whereabouts import MODES, namespaces_of

F = TypeVar("F", bound=Callable[..., Any])


def customer_argument(command: F) -> F:
    """Take a customer's id, `--account` and `--mode`."""
    command = click.option("--mode", type=click.Choice(MODES), help="Where both modes have it.")(
        command
    )
    command = click.option(
        "--account", default="", help="The connected account it is of (acct_…); else your own."
    )(command)
    return click.argument("customer", metavar="CUSTOMER")(command)


def namespace_of(
    desk: Desk, customer: str, account: str, mode: str | None, *, advice: str = ""
) -> Namespace:
    """Return where the customer is; `advice` is what to do when it is nowhere.

    Raises:
        click.ClickException: nowhere, or in both modes.

    """
    found = namespaces_of(desk.projection, customer, account=account, mode=mode)
    if not found:
        whose = f"of {account}" if account else "of your own account"
        asked = f"{mode} mode" if mode else "either mode"
        hint = "" if account else " One of a connected account: --account acct_…"
        raise click.ClickException(
            f"No customer {customer} {whose} is known in {asked}.{hint} {advice}".rstrip()
        )
    if len(found) > 1:
        raise click.ClickException(f"{customer} is known in both modes. Say which: --mode live.")
    return found[0]
