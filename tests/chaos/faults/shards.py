"""Shards: the projection on a cluster of three, whose slots move under load."""

from pathlib import Path
from typing import Any

import redis

from tests.chaos.faults.fault import Fault
from tests.chaos.rig import Rig
from tests.conftest import Store, free_port
from tests.flow.conftest import eventually

SLOTS = 16_384
SHARDS = 3
MOVED_SLOTS = 3000
CLUSTER = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port")


class Resharding(Fault):
    """The projection lies on a cluster of three; thousands of slots move under load."""

    def rig(self, folder: Path, seed: int) -> Rig:
        """Return a rig with a cluster of its own for the projection."""
        rig = Rig(folder, seed)
        rig.projection = []
        for number in range(SHARDS):
            node_folder = folder / f"node{number}"
            node_folder.mkdir()
            rig.projection.append(Store(node_folder, *CLUSTER, str(free_port())))
        self.nodes = rig.projection
        rig.settings["ONFILE_PROJECTION_URL"] = self.nodes[0].url
        return rig

    def prepare(self, rig: Rig) -> None:  # noqa: ARG002 (it is the nodes that are to be started)
        """Start the nodes and make a cluster of them."""
        for node in self.nodes:
            node.start()
        _join(self.nodes)
        eventually(lambda: all(map(_whole, self.nodes)))

    def strike(self, rig: Rig) -> None:
        """Move some thousand slots from one shard to another."""
        source, target = self.chance.sample(self.nodes, 2)
        with source.client() as giving, target.client() as taking:
            first, last = self._some_slots(giving)
            take: Any = taking.execute_command
            give: Any = giving.execute_command
            give("CLUSTER MIGRATESLOTS", "SLOTSRANGE", first, last, "NODE", take("CLUSTER MYID"))
            rig.until("the slots have moved", lambda: _slots_of(giving)[0][0] != first)

    def clean_up(self) -> None:
        """End the nodes."""
        for node in self.nodes:
            node.kill()

    def _some_slots(self, node: redis.Redis) -> tuple[int, int]:
        first, last = _slots_of(node)[0]
        return first, min(last - 1, first + self.chance.randint(1, MOVED_SLOTS))


def _join(nodes: list[Store]) -> None:
    share = SLOTS // len(nodes)
    for number, node in enumerate(nodes):
        last = SLOTS - 1 if node is nodes[-1] else (number + 1) * share - 1
        with node.client() as client:
            execute: Any = client.execute_command
            execute("CLUSTER ADDSLOTSRANGE", number * share, last)
            execute("CLUSTER MEET", "127.0.0.1", nodes[0].port, nodes[0].options[-1])


def _whole(node: Store) -> bool:
    with node.client() as client:
        execute: Any = client.execute_command
        info = execute("CLUSTER INFO")
    return (info["cluster_state"], info["cluster_known_nodes"]) == ("ok", str(SHARDS))


def _slots_of(node: redis.Redis) -> list[tuple[int, int]]:
    """Return the ranges of slots a node serves."""
    execute: Any = node.execute_command
    nodes = execute("CLUSTER NODES")
    [mine] = [one["slots"] for one in nodes.values() if "myself" in one["flags"]]
    return [(int(slots[0]), int(slots[-1])) for slots in mine]
