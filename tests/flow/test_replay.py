"""Replay and rebuild with real processes: under load, through deaths, and after a loss."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.keys import COUNTERS, REPLAY
from tests.flow.test_flow import history, taken

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.flow.conftest import Service

CUSTOMERS = [f"cus_replay{n}" for n in range(250)]
COMMAND_SECONDS = 60


def onfile(service: "Service", *words: str, **more: str) -> subprocess.Popen[str]:
    """Start a command of an operator's."""
    return subprocess.Popen(
        [sys.executable, "-m", "workers.cli.main", *words],
        env=os.environ | {"REDIS_URL": service.store.url, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def done(service: "Service", *words: str, **more: str) -> dict[str, Any]:
    """Run a command to its good end; returns what it says."""
    command = onfile(service, *words, "--json", **more)
    try:
        said, _ = command.communicate(timeout=COMMAND_SECONDS)
    finally:
        command.kill()
    assert command.returncode == 0, said
    told: dict[str, Any] = json.loads(said)
    return told


def fill(service: "Service", folder: Path, **more: str) -> None:
    """Bring the history of all customers in, as exported from Stripe."""
    events = [one for customer in CUSTOMERS for one in history(customer)]
    exported = folder / "exported.json"
    exported.write_text(json.dumps({"object": "list", "data": events}))
    told = done(service, "replay", "--from-file", str(exported), **more)
    assert told["accepted"] == len(events)


def answers(service: "Service") -> dict[str, tuple[bytes, str | None]]:
    """Return every customer's answer, byte for byte, with its tag."""
    told = {one: service.ask(f"/v1/customers/{one}?expand[]=sources") for one in CUSTOMERS}
    assert {reply.status for reply in told.values()} == {200}
    return {one: (reply.body, reply.headers["ETag"]) for one, reply in told.items()}


@contextmanager
def live_traffic(service: "Service") -> Iterator[list[str]]:
    """Deliver new customers' events meanwhile; in the end all of them must be there."""
    delivered: list[str] = []
    stop = threading.Event()

    def deliver() -> None:
        while not stop.is_set():
            customer = f"cus_live{len(delivered)}"
            for one in history(customer, cards=1):
                while service.deliver(one).status != 200:
                    continue  # a busy machine's store may be too slow once; Stripe comes again too
            delivered.append(customer)

    traffic = threading.Thread(target=deliver)
    traffic.start()
    try:
        yield delivered
    finally:
        stop.set()
        traffic.join()


def all_are_there(service: "Service", customers: list[str]) -> bool:
    return all(
        service.ask(f"/v1/customers/{one}").json["default_source"] == f"card_{one}0"
        for one in customers
    )


def test_replays_under_load_and_through_deaths_change_nothing(
    service: "Service", tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    service.web()
    worker = service.worker()
    fill(service, tmp_path)
    before = answers(service)
    with service.store.client() as client, live_traffic(service) as live:
        caught = 0
        while not caught:
            command = onfile(service, "replay", "--all")
            eventually(lambda: taken(client, REPLAY))
            worker.kill()
            command.kill()
            command.communicate()
            worker.wait()
            caught = taken(client, REPLAY)
            worker = service.worker()
        for _ in range(2):
            told = done(service, "replay", "--all")
            assert told["replayed"] >= len(before) * 4
            assert told["outcomes"]["failed"] == 0
        eventually(lambda: len(live) > 3)
    eventually(service.settled)
    assert answers(service) == before
    assert all_are_there(service, live)
    with service.store.client() as client:
        counted = client.hgetall(COUNTERS)
        assert counted[b"accepted"] == counted[b"settled"]
        assert client.xlen(REPLAY) == 0


def test_a_lost_projection_is_replayed_from_the_log_under_live_traffic(
    service: "Service", store: "Store", tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    own = {"ONFILE_PROJECTION_URL": store.url}
    service.web(**own)
    service.worker(**own)
    fill(service, tmp_path, **own)
    before = answers(service)
    with live_traffic(service) as live, store.client() as projection:
        projection.flushall()
        assert service.ask(f"/v1/customers/{CUSTOMERS[0]}").status == 404
        assert done(service, "replay", "--all", **own)["outcomes"]["failed"] == 0
        eventually(lambda: len(live) > 3)
    eventually(service.settled)
    assert answers(service) == before
    assert all_are_there(service, live)
    assert done(service, "rebuild", "--check", **own)["differences"] == []
