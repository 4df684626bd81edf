"""Deaths: `kill -9` of one process or several, at a random instant."""

import signal
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Fault
from tests.chaos.rig import STOP_SECONDS, Rig
from tests.chaos.verdict import BrokenPromiseError

if TYPE_CHECKING:
    from subprocess import Popen


class KilledWeb(Fault):
    """The web process is killed."""

    def strike(self, rig: Rig) -> None:
        """Kill it; its sockets are closed with it."""
        kill(rig.web)
        rig.tend()


class KilledWorker(Fault):
    """One of two workers is killed, or both."""

    def strike(self, rig: Rig) -> None:
        """Kill one or two."""
        for worker in self.chance.sample(rig.workers, self.chance.randint(1, len(rig.workers))):
            kill(worker)
        rig.tend()


class KilledStore(Fault):
    """The store is killed and comes back on its append-only file."""

    def strike(self, rig: Rig) -> None:
        """Kill it as a power cut would."""
        rig.store.kill()
        rig.tend()


class KilledTogether(Fault):
    """Two or three of web, workers and store are killed at once."""

    def strike(self, rig: Rig) -> None:
        """Kill them one right after the other, in any order."""
        victims = ["web", "workers", "store"]
        for victim in self.chance.sample(victims, self.chance.randint(2, 3)):
            if victim == "web":
                kill(rig.web)
            elif victim == "store":
                rig.store.kill()
            else:
                for worker in rig.workers:
                    kill(worker)
        rig.tend()


class Terminated(Fault):
    """Everything gets SIGTERM at once, ends by itself with exit 0, and is started again."""

    def strike(self, rig: Rig) -> None:
        """Send the signal to web and workers, then to the store that they need to finish."""
        processes = [each for each in (rig.web, *rig.workers) if each]
        for each in processes:
            each.send_signal(signal.SIGTERM)
        ends = [each.wait(STOP_SECONDS) for each in processes]
        if any(ends):
            raise BrokenPromiseError(f"told to stop, they ended with {ends}")
        rig.store.terminate()
        rig.tend()


def kill(process: "Popen[bytes] | None") -> None:
    """End a process without a word."""
    if process is not None:
        process.kill()
        process.wait()
