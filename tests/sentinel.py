"""A real Sentinel for tests: it watches over a store and its replica, and promotes that one."""

from pathlib import Path
from typing import Any

from tests.conftest import Store

NAME = "onfile-log"
SOON = ("--repl-diskless-sync-delay", "0")
"""Options of a store that a replica is to follow at once."""


class Sentinel(Store):
    """A Valkey that holds nothing and watches over another."""

    def __init__(self, folder: Path, primary: Store) -> None:
        super().__init__(folder)
        self.address = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{self.port}/{NAME}"
        """That of the primary, as settings take it; one of the two Sentinels never answers."""
        self._file = folder / "sentinel.conf"
        self._file.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor {NAME} 127.0.0.1 {primary.port} 1\n"
            f"sentinel down-after-milliseconds {NAME} 500\n"
            f"sentinel failover-timeout {NAME} 2000\n"
        )

    @property
    def arguments(self) -> tuple[str, ...]:
        """What it is started with; it writes down in its file what it learns."""
        return (str(self._file), "--sentinel")

    def primary_port(self) -> int:
        """Return where it says that the primary is."""
        with self.client() as client:
            _, port = client.sentinel_get_master_addr_by_name(NAME)
        return int(port)

    def knows(self, replica: Store) -> bool:
        """Tell whether it could promote this one."""
        with self.client() as client:
            known: Any = client.sentinel_slaves(NAME)
        return any(one["port"] == replica.port and one["flags"] == "slave" for one in known)


def replica_of(primary: Store, folder: Path) -> Store:
    """Return a store that follows another from its start."""
    return Store(folder, *SOON, "--replicaof", f"127.0.0.1 {primary.port}")
