"""The whole service with its projection on a cluster of three shards, and several workers at it."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks import filled, lives
from tests.cluster import cluster
from tests.workers.stored import stored_answers

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.flow.conftest import Service

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
        where = {"ONFILE_PROJECTION_URL": nodes[0].url}
        for _ in range(WORKERS):
            service.worker(**where)
        service.web(**where)
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
        checked = service.run("rebuild", "--check", **where)
        assert checked.returncode == 0, checked.stdout + checked.stderr
