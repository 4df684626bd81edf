"""`onfile web`: the process that takes webhooks and answers queries."""

import contextlib
import resource
import signal
import socket
import sys
from types import FrameType

import click
import uvicorn

from service.settings import Settings
from service.web.app import create_app
from workers.cli import data_dir as folder
from workers.cli import parent
from workers.cli.data_dir import DataDir
from workers.cli.environment import process_settings
from workers.cli.joined_writes import JoinedWritesProtocol
from workers.cli.listen import PortTakenError, listen

GRACEFUL_SECONDS = 12
"""A query may wait ten seconds for an event; what takes longer is cut off."""

KEEP_ALIVE_SECONDS = 65
"""Longer than the usual balancer's minute, so that it never writes into a closed connection."""

CONNECTIONS = 4096
"""Beyond these a newcomer gets 503: slow clients may fill them, but not the memory."""

OPEN_FILES = 2 * CONNECTIONS


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
    settings = process_settings("web", data_dir, {"ONFILE_HOST": host, "PORT": port})
    try:
        listener = listen(settings.host, settings.port) if fd is None else socket.socket(fileno=fd)
    except PortTakenError as taken:
        raise click.ClickException(f"{taken} Choose another with --port.") from None
    _allow_many_connections()
    serve(settings, listener)


def serve(settings: Settings, listener: socket.socket) -> None:
    """Answer on the socket until a signal comes, then finish what was begun."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _end)  # uvicorn raises the signal again when all is done
    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http=JoinedWritesProtocol,
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here asks who the client is or how it came
        backlog=CONNECTIONS,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _allow_many_connections() -> None:
    """Use what the system grants: often 1,024 open files are the beginning, not the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # fewer connections, then
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
