"""The servers of a benchmark: its own, on free ports, and ended with it however it ends."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from workers.cli import embedded, parent

KEY = "sk_test_benchmark_0123456789abcdef"
SECRET = "whsec_benchmark_0123456789abcdef"

START_SECONDS = 20
STALL_SECONDS = 60
"""Longer than a store takes to write its file anew while others use its disk."""

POLL_SECONDS = 0.01


class LateError(Exception):
    """What was waited for did not come in time."""


class MissingError(Exception):
    """What Onfile is compared with cannot be run here; the message says what is missing."""


def until(what: Callable[[], bool], seconds: float = START_SECONDS, *, waiting_for: str) -> None:
    """Return as soon as it is true.

    Raises:
        LateError: it was not in time.

    """
    give_up = time.monotonic() + seconds
    while not what():
        if time.monotonic() > give_up:
            raise LateError(f"{waiting_for}: not within {seconds:.0f} s")
        time.sleep(POLL_SECONDS)


def until_grown(number: Callable[[], int], to: int, *, waiting_for: str) -> None:
    """Return when a number has grown so far, however long it takes.

    Raises:
        LateError: it has stopped growing.

    """
    while (seen := number()) < to:
        until(lambda: number() > seen, STALL_SECONDS, waiting_for=waiting_for)


@contextmanager
def running(
    command: list[str], log: Path, environ: Mapping[str, str] = {}, **more: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process beside what stands below, its lines in a file as in production.

    What `more` says goes to Popen.
    """
    with log.open("ab") as lines:
        streams: dict[str, Any] = {"stdout": lines, "stderr": lines}
        process: subprocess.Popen[bytes] = subprocess.Popen(
            command,
            env=os.environ | environ,
            preexec_fn=parent.bind_to_parent(),  # noqa: PLW1509 - it makes one call of the system
            **streams | more,
        )
    with process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def store(folder: Path, *options: str) -> Iterator[str]:
    """Run a store as `onfile up` does, on the folder's files; gives its address."""
    folder.mkdir(parents=True, exist_ok=True)
    url = embedded.choose_url({})
    with running([*embedded.store_command(url, folder), *options], folder / "log"):
        until(lambda: embedded.answers(url), waiting_for="the store")
        yield url


@contextmanager
def onfile(command: str, url: str, log: Path, **more: str) -> Iterator[None]:
    """Run `onfile web` or `onfile worker` on a store."""
    settings = {
        "REDIS_URL": url,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "ONFILE_API_KEYS": KEY,
        "ONFILE_LOG_FORMAT": "json",
        "ONFILE_LOG_LEVEL": "info",
    }
    with running([sys.executable, "-m", "workers.cli.main", command], log, settings | more):
        yield


@contextmanager
def web(url: str, folder: Path, **settings: str) -> Iterator[int]:
    """Run Onfile's web process; gives its port."""
    port = free_port()
    with onfile("web", url, folder / "web.log", PORT=str(port), **settings):
        listening(port)
        yield port


@contextmanager
def rivals(url: str, folder: Path) -> Iterator[int]:
    """Run what it is compared with; gives its port."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.rivals", str(port)]
    with running(command, folder / "rivals.log", {"REDIS_URL": url}):
        listening(port)
        yield port


def program(name: str, part_of: str) -> str:
    """Return where a program is; raises MissingError."""
    found = shutil.which(name)
    if not found:
        raise MissingError(f"{part_of} is not installed here ({name})")
    return found


def free_port() -> int:
    """Return a port of this machine that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> None:
    """Return when somebody listens on the port."""

    def connects() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(connects, waiting_for=f"port {port}")


def client(url: str) -> redis.Redis:
    """Return a patient client of a benchmark's store."""
    return redis.Redis.from_url(url, socket_timeout=60)
