"""The processes that `onfile up` starts, each with the command line it is started by."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

from workers.cli.children import Child
from workers.cli.data_dir import DataDir
from workers.cli.embedded import store_command
from workers.cli.plan import Plan

WEB_STOP_SECONDS = 15.0
WORKER_STOP_SECONDS = 20.0
SANDBOX_STOP_SECONDS = 5.0
STORE_STOP_SECONDS = 20.0

STDERR = 2
"""Log lines go there; standard output is for what `onfile up` itself says."""


def store(plan: Plan, data_dir: DataDir, lock: BinaryIO, log: BinaryIO) -> Child:
    """Return the store.

    It holds the folder's lock too, so that no second one can be started on its files while it
    lives, whatever became of us.
    """
    return Child(
        name="store",
        command=store_command(plan.settings.redis_url, data_dir.store),
        environ={},
        output=log,
        stop_seconds=STORE_STOP_SECONDS,
        pass_fds=[lock.fileno()],
    )


def web(plan: Plan, listener: socket.socket) -> Child:
    """Return the web process.

    The socket is ours: connections that come while it is started again wait in it.
    """
    return _ours("web", plan, ["web", "--fd", str(listener.fileno())], WEB_STOP_SECONDS, listener)


def worker(plan: Plan, number: int) -> Child:
    """Return a worker."""
    return _ours(f"worker-{number}", plan, ["worker"], WORKER_STOP_SECONDS)


def sandbox(plan: Plan, port: int) -> Child:
    """Return the stand-in for Stripe, which sends its events here.

    What it says of itself is for those who run it alone; here the banner tells.
    """
    secret = ",".join(plan.settings.webhook_secrets)
    child = _ours(
        "sandbox",
        plan,
        ["sandbox", "--quiet", "--port", str(port), "--endpoint", plan.webhook],
        SANDBOX_STOP_SECONDS,
    )
    return replace(
        child,
        environ={**plan.environ, "ONFILE_SANDBOX_SECRET": secret},
        output=subprocess.DEVNULL,
        errors=STDERR,
    )


def _ours(
    name: str,
    plan: Plan,
    arguments: Sequence[str],
    stop_seconds: float,
    listener: socket.socket | None = None,
) -> Child:
    return Child(
        name=name,
        command=[
            *(sys.executable, "-P", "-m", "workers.cli.main"),
            *(*arguments, "--parent", str(os.getpid())),
        ],
        environ=plan.environ,
        output=STDERR,
        stop_seconds=stop_seconds,
        pass_fds=[listener.fileno()] if listener else [],
    )
