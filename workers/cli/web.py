"""`onfile web`: the process that takes webhooks and answers queries."""

import resource
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType

import click
import structlog
import uvicorn

from service.settings import Settings
from service.web.app import create_app
from workers.cli import data_dir as folder
from workers.cli import parent
from workers.cli.data_dir import DataDir
from workers.cli.environment import process_settings, read_settings
from workers.cli.listen import PortTakenError, listen
from workers.http.connection import Connection
from workers.http.crowd import Crowd
from workers.operators.timelines import opened_when_asked

GRACEFUL_SECONDS = 12
"""A query may wait ten seconds for an event; what takes longer is cut off."""

WAITING_CONNECTIONS = 4096
"""In the system's queue, before they are taken."""

OTHER_FILES = 128
"""Open files that are no client's connection; those to the store above all."""

log = structlog.get_logger()


@click.command()
@click.option("--host", help="The address to listen on.  [ONFILE_HOST; default: 127.0.0.1]")
@click.option("--port", help="The port to listen on.  [PORT; default: 8000]")
@click.option("--fd", type=int, hidden=True, help="A socket of `onfile up` to listen on.")
@click.option("--parent", "parent_pid", type=int, hidden=True, help="The process to end with.")
@folder.option
def command(
    host: str | None, port: str | None, fd: int | None, parent_pid: int | None, data_dir: DataDir
) -> None:
    """Take Stripe's webhooks and answer queries.

    Settings come from the environment, or from the folder of `onfile up` when REDIS_URL is not
    set. Run as many of these as you like behind one balancer, and at least one `onfile worker`.
    """
    if parent_pid and not parent.KERNEL_TELLS:
        parent.watch(parent_pid)
    said = {"ONFILE_HOST": host, "PORT": port}
    settings = process_settings("web", data_dir, said)
    try:
        listener = listen(settings.host, settings.port) if fd is None else socket.socket(fileno=fd)
    except PortTakenError as taken:
        raise click.ClickException(f"{taken} Choose another with --port.") from None
    serve(settings, listener, reread=lambda: read_settings("web", data_dir, said))


def serve(settings: Settings, listener: socket.socket, *, reread: Callable[[], Settings]) -> None:
    """Answer on the socket until a signal comes, then finish what was begun."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _end)  # uvicorn raises the signal again when all is done
    crowd = Crowd(settings, _connections_granted(settings.connection_limit))
    config = uvicorn.Config(
        create_app(settings, opened_when_asked(settings), reread),
        loop="uvloop",
        http=partial(Connection, crowd=crowd),  # type: ignore[arg-type] # it is only called
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here asks who the client is or how it came
        backlog=WAITING_CONNECTIONS,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _connections_granted(wanted: int) -> int:
    """Return how many of the wanted connections the system lets this process hold.

    Often 1,024 open files are the beginning, not the limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = 2 * wanted + OTHER_FILES  # room for those on their way out
    if hard != resource.RLIM_INFINITY:
        files = min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < files:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
        except (OSError, ValueError):
            files = soft
    granted = min(wanted, files - OTHER_FILES)
    if granted < wanted:
        log.warning("web.fewer_connections", wanted=wanted, granted=granted, advice="ulimit -n")
    return granted


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
