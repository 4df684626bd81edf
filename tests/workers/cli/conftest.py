"""The command line as a person uses it: real processes in folders of their own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.workers.operators.bench import Bench, bench_on

if TYPE_CHECKING:
    from tests.conftest import Store

ONFILE = [sys.executable, "-P", "-m", "workers.cli.main"]

PATIENCE_SECONDS = 30
"""For what takes a second on a quiet machine."""

PROC = Path("/proc/self")
"""Not everywhere."""

OURS = ("REDIS_URL", "STRIPE_", "ONFILE_", "PORT")


def clean_environ(**more: str) -> dict[str, str]:
    """This process's environment without any setting of Onfile's, and these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, **more}


def run_onfile(
    *arguments: object,
    environ: dict[str, str] | None = None,
    stdin: str | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*ONFILE, *map(str, arguments)],
        env=clean_environ(**(environ or {})),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        input=stdin,
        cwd=cwd,
    )


def until(condition: Callable[[], object]) -> None:
    """Return as soon as the condition is true."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up, f"waited {PATIENCE_SECONDS} seconds in vain"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process lives; one that has ended and was not yet buried does not."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat").read_text() if PROC.exists() else ""
    except (ProcessLookupError, FileNotFoundError):  # also between the two questions
        return False
    return "Z" not in status.rpartition(")")[2].split()[:1]


class Up:
    """A running `onfile up`."""

    def __init__(self, folder: Path, *arguments: str, **environ: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.data_dir = folder / "data"
        self.said_file = folder / "said"
        self.log_file = folder / "log"
        with self.said_file.open("wb") as said, self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [*ONFILE, "up", "--port", "0", "--data-dir", str(self.data_dir), *arguments],
                env=clean_environ(**environ),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=log,
            )

    @property
    def said(self) -> str:
        return self.said_file.read_text()

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    @property
    def pids(self) -> dict[str, list[int]]:
        """The processes started so far, by name, the living one last."""
        found: dict[str, list[int]] = {}
        for event in self.events:
            if event["event"] == "process.started":
                found.setdefault(event["process"], []).append(event["pid"])
        return found

    @property
    def alive(self) -> list[int]:
        """Of it and of what it started, the processes that live."""
        started = [self.process.pid, *(pid for pids in self.pids.values() for pid in pids)]
        return [pid for pid in started if is_alive(pid)]

    @property
    def address(self) -> str:
        """Where it answers, as it says itself."""
        return next(line for line in self.said.splitlines() if line.startswith("ready "))[6:]

    @property
    def env(self) -> dict[str, str]:
        """What it keeps in its folder."""
        lines = (self.data_dir / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if not line.startswith("#"))

    until = staticmethod(until)
    is_alive = staticmethod(is_alive)

    def wait_ready(self) -> "Up":
        """Wait for the line that says so."""

        def ready() -> bool:
            assert self.process.poll() is None, self.log
            return "\nready http://" in self.said

        until(ready)
        return self

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Query it with its own key."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.address}{path}",
            headers={"Authorization": f"Bearer {self.env['ONFILE_API_KEYS']}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.status or 0, json.load(refusal)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def clean_up(self) -> None:
        """End whatever a failed test has left."""
        for pid in self.alive:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start_up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """Start `onfile up` in the test's folder; whatever it started is ended with the test."""
    started: list[Up] = []

    def start(*arguments: str, **environ: str) -> Up:
        started.append(Up(tmp_path / "up", *arguments, **environ))
        return started[-1]

    yield start
    for up in started:
        up.clean_up()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One that is ready, for tests that leave it so."""
    up = Up(tmp_path_factory.mktemp("running") / "up")
    try:
        yield up.wait_ready()
    finally:
        up.clean_up()


@pytest.fixture
def onfile() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command of `onfile` to its end."""
    return run_onfile


@pytest.fixture
def bench(store: "Store") -> Iterator[Bench]:
    """Workers and stores in this process, for what a command then looks at."""
    with bench_on(store.url) as made:
        yield made
