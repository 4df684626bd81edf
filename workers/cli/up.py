"""`onfile up`: everything on this machine, for trying and for developing.

Folder, socket, store, web and workers, in this order; `ready`; then whatever dies is started again
until a signal comes; then web, workers and store are stopped, in this order.
"""

import os
import socket
import sys
import time
from contextlib import ExitStack
from typing import BinaryIO

import click

from service.settings import Settings
from service.watch import logs
from workers.cli import crew
from workers.cli import data_dir as folder
from workers.cli.banner import banner
from workers.cli.data_dir import DataDir, DataDirInUseError
from workers.cli.environment import filled
from workers.cli.listen import PortTakenError, listen
from workers.cli.plan import make_plan
from workers.cli.startup import look_at_given_stores, start_sandbox, start_store, start_the_rest
from workers.cli.supervisor import Signals, stop, tend

PORT_SECONDS = 1.0
"""How long to wait for the port: what held it may be ending this very moment."""

PORT_POLL_SECONDS = 0.02


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    envvar="PORT",
    help="The port to listen on; 0 for any that is free.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many worker processes.",
)
@click.option(
    "--sandbox", "with_sandbox", is_flag=True, help="A stand-in for Stripe too, wired to this."
)
@click.option(
    "--sandbox-port",
    type=click.IntRange(1, 65535),
    default=8420,
    show_default=True,
    help="The stand-in's port.",
)
@folder.option
def command(
    *, port: int, workers: int, with_sandbox: bool, sandbox_port: int, data_dir: DataDir
) -> None:
    """Run everything on this machine: a store, the web process, workers.

    Without REDIS_URL it brings a store of its own, which keeps on disk what it acknowledges.
    Without secrets it makes some for development. Both are kept in the data folder, where every
    other command finds them. What dies is started again; Ctrl-C stops all of it.
    """
    given = filled(os.environ)
    with ExitStack() as held:
        signals = held.enter_context(Signals())
        lock = held.enter_context(_claimed(data_dir))
        kept = data_dir.read_env()
        host = given.get("ONFILE_HOST") or kept.get("ONFILE_HOST") or Settings.host
        listener = held.enter_context(_listening(host, port))
        if with_sandbox:  # it listens itself, later: what is taken is better said now
            _listening("127.0.0.1", sandbox_port, "--sandbox-port").close()
        stripe_address = f"http://127.0.0.1:{sandbox_port}" if with_sandbox else ""
        plan = make_plan(given, kept, listener.getsockname()[1], sandbox=stripe_address)
        _log_to_stderr(plan.settings)
        data_dir.write_env(plan.kept)
        store_log = held.enter_context(data_dir.store_log.open("ab"))
        store = [crew.store(plan, data_dir, lock, store_log)] if plan.own_store else []
        web = crew.web(plan, listener)
        stripe = [crew.sandbox(plan, sandbox_port)] if with_sandbox else []
        its_workers = [crew.worker(plan, number) for number in range(1, workers + 1)]
        try:
            look_at_given_stores(plan)
            click.echo(banner(plan, data_dir, workers=workers, sandbox=stripe_address))
            for child in store:
                start_store(child, plan, data_dir, signals)
            start_the_rest(web, its_workers, store, plan, signals)
            for child in stripe:
                start_sandbox(child, stripe_address, [*store, web, *its_workers], signals)
            if not signals.stops:
                click.echo(f"ready {plan.address}")
            while not signals.stops:
                tend([*store, web, *its_workers, *stripe], signals)
            click.echo("\nstopping (a second Ctrl-C hurries)")
        finally:
            listener.close()
            for together in ([web, *stripe], its_workers, store):
                stop(together, signals)
        click.echo("stopped")


def _claimed(data_dir: DataDir) -> BinaryIO:
    try:
        return data_dir.claim()
    except DataDirInUseError as in_use:
        raise click.ClickException(
            f"{data_dir.path} is in use: {in_use}. Stop it, or give this one a folder and a port "
            "of its own: onfile up --data-dir .onfile-2 --port 8001"
        ) from None
    except OSError as error:
        raise click.ClickException(
            f"{data_dir.path} cannot be used ({error.strerror}). Choose another folder with "
            "--data-dir."
        ) from None


def _listening(host: str, port: int, option: str = "--port") -> socket.socket:
    give_up = time.monotonic() + PORT_SECONDS
    while True:
        try:
            return listen(host, port)
        except PortTakenError as taken:
            if time.monotonic() > give_up:
                raise click.ClickException(
                    f"{taken} Stop that one, or choose another port: onfile up {option} {port + 1}"
                ) from None
        time.sleep(PORT_POLL_SECONDS)


def _log_to_stderr(settings: Settings) -> None:
    """Keep standard output for what is meant to be read: the banner and `ready`."""
    logs.configure(
        fmt=settings.log_format,
        level=settings.log_level,
        secrets=settings.secrets,
        stream=sys.stderr,
    )
