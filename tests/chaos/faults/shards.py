"""Shards: the projection on a cluster of three, whose slots move under load."""

from pathlib import Path
from typing import Any

import redis

from tests.chaos.faults.fault import Fault
from tests.chaos.rig import Rig
from tests.cluster import form, nodes_in

MOVED_SLOTS = 3000


class Resharding(Fault):
    """The projection lies on a cluster of three; thousands of slots move under load."""

    def rig(self, folder: Path, seed: int) -> Rig:
        """Return a rig with a cluster of its own for the projection."""
        rig = Rig(folder, seed)
        self.nodes = rig.projection = nodes_in(folder)
        rig.settings["ONFILE_PROJECTION_URL"] = self.nodes[0].url
        return rig

    def prepare(self, rig: Rig) -> None:  # noqa: ARG002 (it is the nodes that are to be started)
        """Start the nodes and make a cluster of them."""
        form(self.nodes)

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


def _slots_of(node: redis.Redis) -> list[tuple[int, int]]:
    """Return the ranges of slots a node serves."""
    execute: Any = node.execute_command
    nodes = execute("CLUSTER NODES")
    [mine] = [one["slots"] for one in nodes.values() if "myself" in one["flags"]]
    return [(int(slots[0]), int(slots[-1])) for slots in mine]
