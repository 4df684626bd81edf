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
    """One of two workers is stopped until the other has done its work, and then does it again."""

    def strike(self, rig: Rig) -> None:
        """Freeze it until the other has taken over, which it does when a claim has run out."""
        victim = self.chance.choice(rig.workers).pid
        os.kill(victim, signal.SIGSTOP)
        try:
            rig.until("every event is acknowledged", lambda: rig.load.done)
            rig.until("the other worker has applied them", rig.well)
        finally:
            os.kill(victim, signal.SIGCONT)
