"""The whole service as real processes: a store, a web process, workers; and Stripe's side of it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest

from service.signature import sign
from tests.conftest import bound

if TYPE_CHECKING:

    class Store(Protocol):
        """What tests/conftest.py offers."""

        url: str

        def client(self, **options: Any) -> Any: ...
        def kill(self) -> None: ...
        def start(self) -> None: ...


SECRET = "whsec_flow_tests_0123456789abcdef"
KEY = "sk_test_flow_tests_0123456789abcdef"
ONFILE = [sys.executable, "-m", "workers.cli.main"]
START_SECONDS = 20
COMMAND_SECONDS = 120
SETTLE_SECONDS = 40


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture(name="eventually")
def awaited() -> Callable[..., Any]:
    """What waits for a condition, as a fixture."""
    return eventually


def eventually(what: Callable[[], Any], *, seconds: float = SETTLE_SECONDS) -> Any:
    """Return the first true answer; raise the last failure when time is up."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            if answer := what():
                return answer
            failure: Exception = AssertionError("it never came true")
        except (AssertionError, LookupError, OSError, http.client.HTTPException) as error:
            failure = error
        if time.monotonic() > give_up:
            raise failure
        time.sleep(0.02)


class Service:
    """One web process and any number of workers on one store."""

    def __init__(self, store: "Store", port: int, folder: Path) -> None:
        self.store = store
        self.port = port
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment of its processes."""
        return os.environ | {
            "REDIS_URL": self.store.url,
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "ONFILE_API_KEYS": KEY,
            "PORT": str(self.port),
            "ONFILE_LOG_FORMAT": "json",
            **more,
        }

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `onfile` to its end."""
        return subprocess.run(
            [*ONFILE, *command],
            env=self.environ(**more),
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )

    def start(
        self, *command: str, module: str = "workers.cli.main", code: str = "", **more: str
    ) -> subprocess.Popen[bytes]:
        """Start a command of `onfile`; its lines go to a file of the test's folder.

        `code` is the folder of another version of Onfile.
        """
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *command],
                env=self.environ(**more),
                cwd=code or None,
                stdout=log,
                stderr=log,
                preexec_fn=bound(),  # noqa: PLW1509 - it only asks the kernel
            )
        self.processes.append(process)
        return process

    def web(self, **more: str) -> subprocess.Popen[bytes]:
        """Start a web process and wait until it answers."""
        process = self.start("web", **more)
        eventually(lambda: self.ask("/healthz").status == 200, seconds=START_SECONDS)
        return process

    def worker(self, **more: str) -> subprocess.Popen[bytes]:
        """Start a worker process."""
        return self.start("worker", **more)

    def workers_alive(self) -> int:
        """Return how many workers have said that they are there."""
        return int(self.ask("/readyz").json["workers"]["alive"] or 0)

    def ask(self, path: str, **headers: str) -> Reply:
        """Ask as a client of Stripe's would."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._request("GET", path, None, {"Authorization": f"Bearer {KEY}", **sent})

    def deliver(self, event: dict[str, Any] | bytes) -> Reply:
        """Deliver an event as Stripe does."""
        body = event if isinstance(event, bytes) else json.dumps(event, indent=2).encode()
        signature = sign(body, SECRET, now=time.time())
        return self._request("POST", "/webhooks/stripe", body, {"Stripe-Signature": signature})

    def settled(self) -> bool:
        """Tell whether nothing is pending and nothing is being tried again."""
        backlog = self.ask("/readyz").json["backlog"]
        return backlog is not None and backlog["pending"] == backlog["failing"] == 0

    def log_lines(self) -> list[dict[str, Any]]:
        """Return what the processes have said so far."""
        lines = (self.folder / "log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def stop(self) -> None:
        """End every process still running."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()

    def _request(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


@pytest.fixture
def service_on(another_free_port: int, tmp_path: Path) -> Iterator[Callable[[Any], Service]]:
    """Make a service on a store of the test's own kind."""
    made: list[Service] = []

    def make(store: Any) -> Service:
        made.append(Service(store, another_free_port, tmp_path))
        return made[-1]

    yield make
    for service in made:
        service.stop()


@pytest.fixture
def service(own_store: "Store", free_port: int, tmp_path: Path) -> Iterator[Service]:
    """A service without any process yet, on a store that may be killed."""
    service = Service(own_store, free_port, tmp_path)
    yield service
    service.stop()
