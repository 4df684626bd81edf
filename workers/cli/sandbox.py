"""`onfile sandbox`: a Stripe of one's own that sends its events wherever it is told to."""

import secrets
import signal
import sys
from types import FrameType

import click
import uvicorn

from service.sandbox.app import create_app
from service.sandbox.delivery import Delivery
from service.sandbox.endpoints import Endpoint, EndpointError, endpoint
from service.sandbox.outbox import FIRST_RETRY_SECONDS
from service.sandbox.stripe import Stripe
from service.sandbox.weather import Weather
from service.watch import logs
from workers.cli import parent
from workers.cli.listen import PortTakenError, listen

SECONDS = click.FloatRange(min=0)
SHARE = click.FloatRange(0, 1)
EXAMPLE_KEY = "sk_test_anything"


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8420,
    show_default=True,
    help="The port to listen on; 0 for any that is free.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--endpoint",
    "urls",
    metavar="URL",
    multiple=True,
    help="Where to deliver events. Repeat it for several.",
)
@click.option(
    "--secret",
    "signing_secrets",
    metavar="WHSEC",
    multiple=True,
    envvar="ONFILE_SANDBOX_SECRET",
    help="What to sign with, one for each --endpoint in turn; two with a comma between them while "
    "the secret is being rolled.  [default: made and shown]",
)
@click.option(
    "--delay", type=SECONDS, metavar="SECONDS", default=0, help="How late every event comes."
)
@click.option(
    "--shuffle",
    type=SECONDS,
    metavar="SECONDS",
    default=0,
    help="Within how long events overtake each other.",
)
@click.option(
    "--duplicate",
    type=SHARE,
    metavar="SHARE",
    default=0,
    help="How many events come twice, like 0.1.",
)
@click.option(
    "--lose",
    type=SHARE,
    metavar="SHARE",
    default=0,
    help="How many first tries vanish; their retries come.",
)
@click.option(
    "--retry",
    type=click.FloatRange(min=0.01),
    metavar="SECONDS",
    default=FIRST_RETRY_SECONDS,
    show_default=True,
    help="How long until the first retry; each further one waits twice as long.",
)
@click.option("--seed", type=int, help="Have the ids and the weather of another run again.")
@click.option("--quiet", is_flag=True, help="Tell nothing of single requests.")
@click.option("--parent", "parent_pid", type=int, hidden=True, help="The process to end with.")
def command(  # noqa: PLR0913 (one argument an option)
    *,
    port: int,
    host: str,
    urls: tuple[str, ...],
    signing_secrets: tuple[str, ...],
    delay: float,
    shuffle: float,
    duplicate: float,
    lose: float,
    retry: float,
    seed: int | None,
    quiet: bool,
    parent_pid: int | None,
) -> None:
    """Run a stand-in for Stripe: customers, payment sources, and the events they cause.

    Stripe's official clients work against it unchanged, with any key that begins with sk_test_.
    Everything is in memory and gone when it ends. Events are signed and delivered to every
    endpoint, and tried again until it answers 2xx: in clear weather at once and in order, with
    --delay, --shuffle, --duplicate and --lose as badly as you like.

    What happens at Stripe without a request of yours:

    \b
      POST /v1/test_helpers/sources/ID/…
        chargeable  fail  cancel         a Source's customer or bank has decided
        receive  amount=                 money arrives for an ach_credit_transfer
        require_refund_attributes        a refund needs to know where to
        notify_mandate                   a sepa_debit's customer is told of a debit
        network_update  exp_year= …      the network has renewed a card
        expire                           a card will soon be over
      GET /v1/test_helpers/deliveries?wait=SECONDS
        how delivery is going; waits until all is delivered
    """  # noqa: D301 (click's own mark for lines that stay as they are)
    if parent_pid and not parent.KERNEL_TELLS:
        parent.watch(parent_pid)
    endpoints = _endpoints(urls, signing_secrets)
    stripe = Stripe(seed=seed)
    weather = Weather(stripe.seed, delay, shuffle, duplicate, lose)
    try:
        listener = listen(host, port)
    except PortTakenError as taken:
        raise click.ClickException(f"{taken} Choose another with --port.") from None
    address = f"http://{host}:{listener.getsockname()[1]}"
    logs.configure(fmt="auto", level="warning" if quiet else "info", stream=sys.stderr)
    click.echo(_banner(address, endpoints, weather))
    delivery = Delivery(stripe, endpoints, weather=weather, first_retry_seconds=retry)
    config = uvicorn.Config(
        create_app(stripe, delivery),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=2,
    )
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _end)  # uvicorn raises the signal again when all is done
    click.echo(f"ready {address}")
    uvicorn.Server(config).run(sockets=[listener])


def _end(_signal: int, _frame: FrameType | None) -> None:
    click.echo("stopped")
    sys.exit(0)


def _endpoints(urls: tuple[str, ...], signing_secrets: tuple[str, ...]) -> list[Endpoint]:
    if signing_secrets and len(signing_secrets) != len(urls):
        raise click.UsageError(
            f"{len(urls)} --endpoint and {len(signing_secrets)} --secret: give one --secret for "
            "each --endpoint, in the same order, or none at all."
        )
    given = signing_secrets or tuple(f"whsec_{secrets.token_hex(16)}" for _ in urls)
    try:
        return [endpoint(url, secret) for url, secret in zip(urls, given, strict=True)]
    except EndpointError as refused:
        raise click.UsageError(str(refused)) from None


def _banner(address: str, endpoints: list[Endpoint], weather: Weather) -> str:
    delivered = [
        f"  events to  {each.url}\n  signed     {' and '.join(each.secrets)}" for each in endpoints
    ]
    return "\n".join(
        [
            "",
            f"  Stripe     {address}",
            *(delivered or ["  events to  nobody (--endpoint URL); GET /v1/events lists them"]),
            f"  weather    {weather}",
            f"  seed       {weather.seed}",
            "",
            "To try, in another terminal:",
            "",
            f"  curl -u {EXAMPLE_KEY}: {address}/v1/customers -d name=Jenny -d source=tok_visa",
            f'  stripe.StripeClient("{EXAMPLE_KEY}", base_addresses={{"api": "{address}"}})',
            "",
        ]
    )
