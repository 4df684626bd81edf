"""A cluster of real nodes on this machine, for the projection to lie on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import Store, free_port
from tests.flow.conftest import eventually

SLOTS = 16_384
SHARDS = 3
OPTIONS = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port")


def nodes_in(folder: Path) -> list[Store]:
    """Return the nodes of a cluster, none of them started yet."""
    nodes = []
    for number in range(SHARDS):
        node_folder = folder / f"node{number}"
        node_folder.mkdir(parents=True)
        nodes.append(Store(node_folder, *OPTIONS, str(free_port())))
    return nodes


def form(nodes: list[Store]) -> None:
    """Start the nodes, give each an equal share of the slots, and wait until they are a cluster."""
    for node in nodes:
        node.start()
    share = SLOTS // len(nodes)
    for number, node in enumerate(nodes):
        last = SLOTS - 1 if node is nodes[-1] else (number + 1) * share - 1
        with node.client() as client:
            execute: Any = client.execute_command
            execute("CLUSTER ADDSLOTSRANGE", number * share, last)
            execute("CLUSTER MEET", "127.0.0.1", nodes[0].port, nodes[0].options[-1])
    eventually(lambda: all(map(_whole, nodes)))


@contextmanager
def cluster(folder: Path) -> Iterator[list[Store]]:
    """Run a cluster; gives its nodes."""
    nodes = nodes_in(folder)
    try:
        form(nodes)
        yield nodes
    finally:
        for node in nodes:
            node.kill()


def _whole(node: Store) -> bool:
    with node.client() as client:
        execute: Any = client.execute_command
        info = execute("CLUSTER INFO")
    return (info["cluster_state"], info["cluster_known_nodes"]) == ("ok", str(SHARDS))
