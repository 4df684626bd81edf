"""`onfile send`: deliver the events of a file as Stripe does, signed."""

import http.client
import os
import time
import urllib.error
import urllib.request
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

import click

from service import setting_values
from service.signature import sign
from workers.cli import data_dir as folder
from workers.cli.data_dir import DataDir
from workers.cli.environment import filled
from workers.cli.event_files import events_in, named

WEBHOOK_PATH = "/webhooks/stripe"

TIMEOUT_SECONDS = 20.0
"""Longer than any answer may take, since a delivery has no second try here."""

ACCEPTED = range(200, 300)
SHOWN_CHARACTERS = 300


class Answer(NamedTuple):
    """What came back: an HTTP status, or 0 and why there is none."""

    status: int
    text: str


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--url", help="Where to deliver.  [default: the onfile up of the data folder]")
@click.option(
    "--secret", help="The signing secret.  [default: STRIPE_WEBHOOK_SECRET, or the data folder's]"
)
@folder.option
def command(file: BinaryIO, url: str | None, secret: str | None, data_dir: DataDir) -> None:
    """Sign the events of FILE (- for standard input) as Stripe does and deliver them.

    FILE holds one event, a JSON list of them, an object with such a list as `data` or `events`, or
    one event a line. The bytes of a single event are sent as they are.
    """
    known = {**data_dir.read_env(), **filled(os.environ)}
    address = webhook_address(url or f"http://127.0.0.1:{known.get('PORT', '8000')}")
    signing_secret = _secret(secret or known.get("STRIPE_WEBHOOK_SECRET"))
    events = events_in(file.read())
    answers = []
    for event in events:
        answers.append(deliver(event, address, signing_secret))
        click.echo(f"{answers[-1].status or '---'} {answers[-1].text}  {named(event)}")
        if not answers[-1].status:
            break  # nobody is there for the others either
    refused = [answer for answer in answers if answer.status not in ACCEPTED]
    if len(events) > 1:
        accepted = len(answers) - len(refused)
        click.echo(f"{accepted} of {len(events)} events accepted")
    if refused:
        raise click.ClickException(advice(refused[-1], address))


def webhook_address(url: str) -> str:
    """Return where to deliver: a bare host means its webhook endpoint."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.ClickException(
            f"{url} is no address to deliver to; it must look like http://127.0.0.1:8000"
        )
    return url if parts.path.strip("/") else f"{parts.scheme}://{parts.netloc}{WEBHOOK_PATH}"


def deliver(event: bytes, address: str, secret: str) -> Answer:
    """POST an event's bytes with Stripe's headers and return what came back."""
    request = urllib.request.Request(  # noqa: S310 (webhook_address has seen the scheme)
        address,
        data=event,
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(event, secret, now=time.time()),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            return Answer(answer.status, _one_line(answer.read()))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.status or 0, _one_line(refusal.read()))
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, f"no answer ({getattr(error, 'reason', error)})")


def advice(answer: Answer, address: str) -> str:
    """Return what to do about a delivery that was not accepted."""
    if answer.status == 0:
        return f"Nothing answers at {address}. Start it with `onfile up`, or name another --url."
    if answer.status == http.HTTPStatus.NOT_FOUND:
        return f"{address} is no webhook endpoint. Onfile's ends in {WEBHOOK_PATH}."
    if answer.status == http.HTTPStatus.BAD_REQUEST:
        return (
            "Refused for the reason above. If it is the signature: pass the secret that the web "
            "process has with --secret. If it is the body: look at the file."
        )
    if answer.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        return "The web process cannot reach its store now. Stripe would try again; so may you."
    return "Refused for the reason above."


def _secret(text: str | None) -> str:
    if not text:
        raise click.ClickException(
            "There is no secret to sign with. Start `onfile up` here, or pass --secret whsec_…"
        )
    try:
        return setting_values.webhook_secrets(text)[0]
    except ValueError as problem:
        raise click.ClickException(f"The signing secret {problem}") from None


def _one_line(body: bytes) -> str:
    return " ".join(body.decode(errors="replace").split())[:SHOWN_CHARACTERS]
