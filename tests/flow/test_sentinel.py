"""A failover by Sentinel: the primary dies, its replica takes over, and nobody is called."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Store
from tests.flow.conftest import Service, eventually
from tests.flow.test_flow import history
from tests.sentinel import SOON, Sentinel, replica_of


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    made = [tmp_path / name for name in ("first", "second", "sentinel")]
    for folder in made:
        folder.mkdir()
    return made


@pytest.fixture
def first(folders: list[Path]) -> Iterator[Store]:
    store = Store(folders[0], *SOON)
    store.start()
    yield store
    store.kill()


@pytest.fixture
def second(first: Store, folders: list[Path]) -> Iterator[Store]:
    store = replica_of(first, folders[1])
    store.start()
    with store.client() as client:
        eventually(lambda: info(client)["master_link_status"] == "up")
    yield store
    store.kill()


@pytest.fixture
def sentinel(first: Store, second: Store, folders: list[Path]) -> Iterator[Sentinel]:
    watching = Sentinel(folders[2], first)
    watching.start()
    eventually(lambda: watching.knows(second))
    yield watching
    watching.kill()


def test_events_accepted_before_and_after_are_all_applied(
    first: Store, second: Store, sentinel: Sentinel, service_on: Callable[[Any], Service]
) -> None:
    service = service_on(first)
    settings = {"REDIS_URL": sentinel.address, "ONFILE_REPLICAS": "1"}
    service.web(**settings)
    service.worker(**settings)
    eventually(lambda: service.workers_alive() == 1)
    assert [service.deliver(one).status for one in history("cus_before")] == [200] * 4
    eventually(service.settled)
    assert [service.deliver(one).status for one in history("cus_during")] == [200] * 4

    first.kill()
    refused = history("cus_refused")[0]
    assert service.deliver(refused).status == 503
    eventually(lambda: sentinel.primary_port() == second.port)
    eventually(lambda: service.ask("/v1/customers/cus_before").status == 200)
    assert service.deliver(refused).status == 503  # nobody else has it
    first.options = replica_of(second, first.folder).options
    first.start()
    for one in history("cus_after"):
        eventually(lambda one=one: service.deliver(one).status == 200)  # type: ignore[misc]

    eventually(lambda: service.workers_alive() == 1 and service.settled())
    for name in ("before", "during", "after"):
        found = service.ask(f"/v1/customers/cus_{name}/sources")
        assert len(found.json["data"]) == 2
    told = service.run("status", "--json", **settings)
    assert (told.returncode, json.loads(told.stdout)["pending"]) == (0, 0)


def info(client: Any) -> dict[str, Any]:
    told: dict[str, Any] = client.info("replication")
    return told
