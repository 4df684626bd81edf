"""The network between the service and its store: cut, cut in mid-command, silent, slow."""

from pathlib import Path

from tests.chaos.faults.fault import Fault
from tests.chaos.proxy import Proxy
from tests.chaos.rig import Rig


class BehindProxy(Fault):
    """All of the service reaches its store through a proxy."""

    proxy: Proxy

    def rig(self, folder: Path, seed: int) -> Rig:
        """Return a rig with the proxy before its store."""
        rig = Rig(folder, seed)
        self.proxy = Proxy(rig.store.port)
        rig.settings["REDIS_URL"] = f"redis://127.0.0.1:{self.proxy.port}/0"
        return rig

    def clean_up(self) -> None:
        """Close the proxy."""
        self.proxy.close()


class CutConnections(BehindProxy):
    """Every connection to the store is cut, several times in a row."""

    def strike(self, rig: Rig) -> None:
        """Cut them, and again after some more deliveries."""
        for _ in range(self.chance.randint(1, 4)):
            self.proxy.cut()
            more = rig.ledger.count() + self.chance.randint(1, 30)
            rig.until(
                "deliveries go on",
                lambda more=more: rig.load.done or rig.ledger.count() >= more,  # type: ignore[misc]
            )


class TruncatedCommand(BehindProxy):
    """A command arrives by half, and the connection is gone."""

    def strike(self, rig: Rig) -> None:
        """Bite off the next chunk."""
        self.proxy.truncate("commands")
        rig.until("a command was truncated", self.proxy.bitten.is_set)


class LostReply(BehindProxy):
    """The store does what it is told, but the reply arrives by half or not at all."""

    def strike(self, rig: Rig) -> None:
        """Bite off the next reply: whoever waits for it cannot know what was done."""
        for _ in range(self.chance.randint(1, 4)):
            if self.chance.random() < 1 / 2:
                self.proxy.truncate("replies")
            else:
                self.proxy.swallow()
            rig.until("a reply was bitten", self.proxy.bitten.is_set)


class SilentNetwork(BehindProxy):
    """Nothing passes to or from the store for a while, and then all of it does."""

    def strike(self, rig: Rig) -> None:
        """Be silent until deliveries were refused."""
        refused = rig.ledger.more_refusals(self.chance.randint(1, 20))
        self.proxy.hold()
        rig.until("deliveries are refused", lambda: rig.load.done or refused())
        self.proxy.release()
