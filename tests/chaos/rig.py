"""The rig: the whole service as real processes on its own store, each started again if it ends.

It stands in for the supervisor that production has, and lets a fault do without it for a while.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from service.keys import LOG
from service.log.backlog import backlog
from service.sandbox.endpoints import Endpoint
from service.sandbox.oracle import Seen
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.reference import Reference
from tests.chaos.verdict import BrokenPromiseError
from tests.conftest import Store, free_port
from tests.flow.conftest import SECRET, Service, eventually
from tests.workers.stored import stored_answers

if TYPE_CHECKING:
    from subprocess import Popen

WORKERS = 2
PATIENCE_SECONDS = 90
"""Three times what is promised: how late it was is worth knowing."""

POLL_SECONDS = 0.02
STOP_SECONDS = 30


class OverdueError(BrokenPromiseError):
    """Something did not come true in three times the promised time."""


class Rig:
    """A store, a web process and workers; and what is known of them from the outside."""

    def __init__(self, folder: Path, seed: int, store: Store | None = None) -> None:
        self.folder = folder
        self.store = store or Store(folder)
        self.projection = [self.store]
        """The nodes of the projection's store."""
        self.service = Service(self.store, free_port(), folder)
        self.ledger = Ledger()
        self.load: Load
        self.reference = Reference(seed)
        self.settings: dict[str, str] = {}
        """Settings of every process that is started from now on."""
        self.web: Popen[bytes] | None = None
        self.workers: list[Popen[bytes]] = []
        self.wanted_workers = WORKERS
        self.store_wanted = True
        self.patience_seconds = PATIENCE_SECONDS
        self.code = ""
        """The folder of the version that every worker is of that is started from now on."""
        self.plan = ""
        """What goes wrong with every worker that is started from now on (sabotage.py)."""
        self.unbalanced = 0
        """How often the counts of accepted and applied events did not add up."""
        self._looked = redis.Redis.from_url(self.store.url, socket_timeout=1)

    def start(self) -> None:
        """Start all of it; returns when a delivery would be applied."""
        self.tend()
        self.until("the web process serves", self.serves)
        self.until(
            "the workers are there", lambda: self.service.workers_alive() >= self.wanted_workers
        )

    def deliver(self, number: int) -> Load:
        """Begin to deliver at least so many events more."""
        endpoint = Endpoint(f"http://127.0.0.1:{self.service.port}/webhooks/stripe", (SECRET,))
        self.load = Load(endpoint, self.ledger, self.reference.events(number))
        return self.load

    def move_to(self, store: Store) -> None:
        """Go on with another store, which has taken this one's place."""
        self.store = self.service.store = store
        self.projection = [store]
        self._looked.close()
        self._looked = redis.Redis.from_url(store.url, socket_timeout=1)

    def stop(self) -> None:
        """End all of it at once."""
        self._looked.close()
        self.service.stop()
        self.store.kill()

    def tend(self) -> None:
        """Start whatever has ended and should be there."""
        if self.store_wanted and (
            self.store.process is None or self.store.process.poll() is not None
        ):
            self.store.start()
        if self.web is None or self.web.poll() is not None:
            self.web = self.service.start("web", **self.settings)
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < self.wanted_workers:
            self.workers.append(self._new_worker())

    def replace_workers(self, *, wanted: int = WORKERS, plan: str = "") -> None:
        """Have other workers from now on, as a release does, but at once."""
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.wanted_workers, self.plan = wanted, plan
        self.tend()

    def until(
        self, what: str, condition: Callable[[], object], *, seconds: float | None = None
    ) -> None:
        """Wait for a condition, and tend the processes meanwhile.

        Raises:
            OverdueError: it did not come true; `what` says so in words.

        """
        seconds = seconds or self.patience_seconds
        give_up = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > give_up:
                raise OverdueError(f"waited {seconds:g} seconds in vain until {what}")
            self.tend()
            time.sleep(POLL_SECONDS)

    def serves(self) -> bool:
        """Tell whether the web process says that it takes events."""
        try:
            return self.service.ask("/readyz").status == 200
        except OSError:
            return False

    def unapplied(self) -> int:
        """Return how many events wait to be applied, or tried again; -1 when nobody can tell."""
        try:
            now = backlog(self._looked)
        except redis.RedisError:
            return -1
        unapplied = now.pending + now.failing
        self.unbalanced += now.accepted != now.applied + unapplied + now.discarded
        return unapplied

    def wrong(self) -> list[str]:
        """Return the ids of stored answers that are not those of the reference."""
        found: dict[str, bytes] = {}
        for node in self.projection:
            with node.client() as client:
                found |= stored_answers(client)
        return self.reference.differing(found)

    def well(self) -> bool:
        """Tell whether everything delivered is applied, and every stored answer right."""
        try:
            return self.unapplied() == 0 and not self.wrong()
        except redis.RedisError:
            return False

    def lost(self) -> set[str]:
        """Return the acknowledged events that the log does not hold."""
        items: Any = self._looked.xrange(LOG)
        return self.ledger.acknowledged - {fields[b"id"].decode() for _, fields in items}

    def ask(self, path: str) -> Seen:
        """Put a question as the oracle wants it put."""
        reply = eventually(lambda: self.service.ask(path))
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return Seen(reply.status, headers, reply.body)

    def _new_worker(self) -> "Popen[bytes]":
        if not self.plan:
            return self.service.start("worker", code=self.code, **self.settings)
        module = "tests.chaos.sabotage"
        return self.service.start(self.plan, "worker", module=module, **self.settings)
