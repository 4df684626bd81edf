"""The whole service with its projection on a cluster of three shards, and several workers at it.

Each process comes as the user that `deploy/valkey-users.conf` makes for it.
"""

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks import filled, lives
from tests.cluster import cluster
from tests.workers.stored import stored_answers

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.flow.conftest import Service

DEPLOY = Path(__file__).parents[2] / "deploy"
CUSTOMERS = 40
CARDS = 2
WORKERS = 3


def test_three_shards_and_three_workers_hold_what_one_store_and_one_worker_would(
    service: "Service", store: "Store", eventually: Callable[..., Any], tmp_path: Path
) -> None:
    with store.client() as client:
        filled.fill(client, CUSTOMERS, cards=CARDS)
        expected = stored_answers(client)
    events = [
        lives.event(number, place) for number in range(CUSTOMERS) for place in range(lives.EVENTS)
    ]
    random.Random(7).shuffle(events)  # noqa: S311 - the same in every run
    with cluster(tmp_path / "cluster") as nodes:
        for node in nodes:
            admit(node)
        for _ in range(WORKERS):
            service.worker(**as_user("worker", nodes))
        service.web(**as_user("web", nodes))
        eventually(lambda: service.workers_alive() == WORKERS)
        assert {service.deliver(event).status for event in events} == {200}
        eventually(service.settled)
        of_each: list[dict[str, bytes]] = []
        for node in nodes:
            with node.client() as client:
                of_each.append(stored_answers(client))
        assert all(of_each), "each shard has its share"
        assert {k: v for held in of_each for k, v in held.items()} == expected
        customer, newest = lives.customer_id(1), lives.card_ids(1)[1]
        listed = service.ask(f"/v1/customers/{customer}/sources").json["data"]
        assert listed[0]["id"] == newest
        checked = service.run("rebuild", "--check", **as_user("operator", nodes))
        assert checked.returncode == 0, checked.stdout + checked.stderr
        nodes[-1].kill()
        newcomers = range(CUSTOMERS, CUSTOMERS + 12)
        created = {service.deliver(lives.event(number, 0)).status for number in newcomers}
        assert created == {200}, "the log is elsewhere"
        nodes[-1].start()
        admit(nodes[-1])
        eventually(service.settled)
        for number in newcomers:
            assert service.ask(f"/v1/customers/{lives.customer_id(number)}").status == 200


def admit(node: "Store") -> None:
    """Let the deployment's users in."""
    users = (DEPLOY / "valkey-users.conf").read_text()
    with node.client() as client:
        for user in re.findall(r"^user (onfile-.*)$", users, re.MULTILINE):
            client.execute_command("ACL SETUSER", *user.split())


def as_user(role: str, nodes: "list[Store]") -> dict[str, str]:
    """Return the setting of a process that comes to the cluster as one of them."""
    address = f"redis://onfile-{role}:{role.upper()}_PASSWORD@127.0.0.1:{nodes[0].port}/0"
    return {"ONFILE_PROJECTION_URL": address}
