"""What the commands that ask Stripe share: options, and how trouble with Stripe is told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from service.keys import Namespace
from service.settings import Settings
from workers.admission import StalledError
from workers.asking.api import READS_PER_SECOND, StripeApi
from workers.asking.errors import KeyRefusedError, NoKeyError, StripeReadError
from workers.asking.settled import open_api
from workers.cli.environment import WRONG_SETTINGS_STATUS
from workers.operators.desk import Desk

F = TypeVar("F", bound=Callable[..., Any])

MODES = ("live", "test")


class WrongKeyError(click.ClickException):
    """There is no key for this, or Stripe does not take it."""

    exit_code = WRONG_SETTINGS_STATUS


def asking_options(command: F) -> F:
    """Add what says whom to ask and how fast."""
    for option in (
        click.option(
            "--rate",
            type=click.FloatRange(0.01, 1000),
            default=READS_PER_SECOND,
            show_default=True,
            metavar="PER_SECOND",
            help="How many requests at most; Stripe allows 100 live, 25 test, to all together.",
        ),
        click.option(
            "--account",
            metavar="ACCT",
            default="",
            help="A connected account, instead of your own.",
        ),
        click.option(
            "--mode",
            type=click.Choice(MODES),
            help="Which of the keys in STRIPE_API_KEY, if there are two.",
        ),
    ):
        command = option(command)
    return command


@contextmanager
def stripe_of(desk: Desk, mode: str | None, account: str, rate: float) -> Iterator[StripeApi]:
    """Open Stripe's API; what goes wrong with it ends the command in a sentence."""
    try:
        namespace = Namespace(account=account, mode=mode or _only_mode(desk.settings))
        yield open_api(desk.settings, desk.log, namespace, per_second=rate)
    except (NoKeyError, KeyRefusedError) as error:
        raise WrongKeyError(str(error)) from None
    except (StripeReadError, StalledError) as error:
        raise click.ClickException(str(error)) from None


def _only_mode(settings: Settings) -> str:
    modes = [mode for mode in MODES if any(f"_{mode}_" in key for key in settings.stripe_keys)]
    if len(modes) > 1:
        raise click.UsageError("STRIPE_API_KEY holds a live and a test key: say which by --mode.")
    if not modes:
        raise NoKeyError(
            "There is no key to ask Stripe with: STRIPE_API_KEY is not set. Make a restricted key "
            "(rk_…) in Stripe's dashboard that may read Customers, Sources and Events, and set it."
        )
    return modes[0]
