"""Failover: the store's machine is lost with its disk, and its replica is promoted."""

from pathlib import Path
from typing import Any

from tests.chaos.faults.network import BehindProxy
from tests.chaos.rig import Rig
from tests.conftest import Store
from tests.flow.conftest import eventually
from tests.sentinel import Sentinel, replica_of


class Failover(BehindProxy):
    """The store is lost with its disk, and its replica promoted, under ONFILE_REPLICAS=1."""

    def rig(self, folder: Path, seed: int) -> Rig:
        """Return a rig whose store has a replica, behind one address for both."""
        rig = super().rig(folder, seed)
        rig.settings["ONFILE_REPLICAS"] = "1"
        self._folder = folder
        self._stores = [rig.store]
        return rig

    def prepare(self, rig: Rig) -> None:
        """Start the store and its replica."""
        rig.store.start()
        rig.store_wanted = False
        self._add_replica()

    def strike(self, rig: Rig) -> None:
        """Lose the store, and promote the replica as soon as somebody notices."""
        lost, promoted = self._stores[-2:]
        lost.kill()
        refused = rig.ledger.more_refusals()
        rig.until("deliveries are refused", lambda: rig.load.done or refused())
        with promoted.client() as client:
            execute: Any = client.execute_command
            execute("REPLICAOF NO ONE")
        rig.move_to(promoted)
        self.proxy.lead_to(promoted.port)
        self._add_replica()

    def clean_up(self) -> None:
        """End every store there has been."""
        super().clean_up()
        for store in self._stores:
            store.kill()

    def _add_replica(self) -> None:
        primary = self._stores[-1]
        folder = self._folder / f"replica{len(self._stores)}"
        folder.mkdir()
        replica = replica_of(primary, folder)
        self._stores.append(replica)
        replica.start()
        eventually(lambda: _follows(replica))


class SentinelFailover(Failover):
    """The same, with nobody there but Sentinel, whose word everybody takes."""

    def rig(self, folder: Path, seed: int) -> Rig:
        """Return a rig whose processes ask a Sentinel where the store is."""
        rig = super().rig(folder, seed)
        (folder / "sentinel").mkdir()
        self._sentinel = Sentinel(folder / "sentinel", rig.store)
        rig.settings["REDIS_URL"] = self._sentinel.address
        return rig

    def prepare(self, rig: Rig) -> None:
        """Start the store, its replica and the Sentinel."""
        super().prepare(rig)
        self._sentinel.start()

    def strike(self, rig: Rig) -> None:
        """Lose the store, and wait until Sentinel has promoted the replica."""
        lost, promoted = self._stores[-2:]
        rig.until("Sentinel knows the replica", lambda: self._sentinel.knows(promoted))
        lost.kill()
        rig.until("it is promoted", lambda: self._sentinel.primary_port() == promoted.port)
        rig.move_to(promoted)
        self._add_replica()

    def clean_up(self) -> None:
        """End every store there has been, and the Sentinel."""
        super().clean_up()
        self._sentinel.kill()


def _follows(replica: Store) -> bool:
    with replica.client() as client:
        info: Any = client.info("replication")
    return bool(info["master_link_status"] == "up")
