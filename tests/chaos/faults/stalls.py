"""Stalls: a process that is stopped for a while, and then goes on as if nothing had happened."""

import os
import signal

from tests.chaos.faults.fault import Fault
from tests.chaos.rig import Rig


class FrozenStore(Fault):
    """The store is stopped (SIGSTOP) until deliveries are refused, and goes on (SIGCONT)."""

    def strike(self, rig: Rig) -> None:
        """Freeze it and wake it."""
        assert rig.store.process
        refused = rig.ledger.more_refusals(self.chance.randint(1, 20))
        os.kill(rig.store.process.pid, signal.SIGSTOP)
        rig.until("deliveries are refused", lambda: rig.load.done or refused())
        os.kill(rig.store.process.pid, signal.SIGCONT)


class FrozenWorker(Fault):
    """One of two workers is stopped, and the other takes its work; it wakes under the next load."""

    _frozen = 0

    def strike(self, rig: Rig) -> None:
        """Freeze one, and wake the one that was frozen before with work in its hands."""
        if self._frozen:
            os.kill(self._frozen, signal.SIGCONT)
        self._frozen = self.chance.choice(rig.workers).pid
        os.kill(self._frozen, signal.SIGSTOP)
