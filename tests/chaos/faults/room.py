"""Room: the store's memory is full, or the disk under its append-only file."""

import resource

from tests.chaos.faults.fault import Fault
from tests.chaos.rig import Rig

MORE_BYTES = 32_768
"""So much still fits on the disk: some events, and the last of them by half."""


class FullStore(Fault):
    """The store has no more memory (maxmemory, noeviction), until somebody gives it some."""

    def strike(self, rig: Rig) -> None:
        """Take its room until deliveries are refused."""
        refused = rig.ledger.more_refusals(self.chance.randint(1, 50))
        with rig.store.client() as client:
            used = client.info("memory")["used_memory"]
            client.config_set("maxmemory", max(1, used - self.chance.randint(0, MORE_BYTES)))
            rig.until("deliveries are refused", lambda: rig.load.done or refused())
            client.config_set("maxmemory", 0)


class FullDisk(Fault):
    """The append-only file cannot grow: the store dies, and stays away until there is room.

    Its largest allowed file (RLIMIT_FSIZE) is the disk here: a write that does not fit ends short
    and the next one fails, as on a full disk, and nobody else's disk is filled for it.
    """

    def strike(self, rig: Rig) -> None:
        """Leave room for some more events, and more only when deliveries are refused."""
        assert rig.store.process
        store = rig.store.process
        written = max(
            file.stat().st_size for file in rig.store.folder.glob("appendonlydir/*.incr.aof")
        )
        limit = written + self.chance.randint(1, MORE_BYTES)
        unlimited = resource.RLIM_INFINITY
        resource.prlimit(store.pid, resource.RLIMIT_FSIZE, (limit, unlimited))
        rig.store_wanted = False
        rig.until("the disk is full", lambda: store.poll() is not None)
        refused = rig.ledger.more_refusals(self.chance.randint(1, 20))
        rig.until("deliveries are refused", lambda: rig.load.done or refused())
        rig.store_wanted = True
        rig.tend()
