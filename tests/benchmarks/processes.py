"""The servers of a benchmark: its own, on free ports, and ended with it however it ends."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import redis

from workers.cli import embedded, parent

KEY = "sk_test_benchmark_0123456789abcdef"
SECRET = "whsec_benchmark_0123456789abcdef"

START_SECONDS = 20
POLL_SECONDS = 0.01


class LateError(Exception):
    """What was waited for did not come in time."""


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


@contextmanager
def running(command: list[str], log: Path, environ: Mapping[str, str] = {}) -> Iterator[None]:
    """Run a process beside what stands below, its lines in a file as in production."""
    with log.open("ab") as lines:
        process = subprocess.Popen(
            command,
            env=os.environ | environ,
            stdout=lines,
            stderr=lines,
            preexec_fn=parent.bind_to_parent(),  # noqa: PLW1509 - no thread has been started yet
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def store(folder: Path) -> Iterator[str]:
    """Run a store as `onfile up` does, on the folder's files; gives its address."""
    folder.mkdir(parents=True, exist_ok=True)
    url = embedded.choose_url({})
    with running(embedded.store_command(url, folder), folder / "log"):
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


def client(url: str) -> redis.Redis:
    """Return a patient client of a benchmark's store."""
    return redis.Redis.from_url(url, socket_timeout=60)
