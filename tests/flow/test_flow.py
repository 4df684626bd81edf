"""The way of the data over HTTP, with real processes, and through their deaths."""

import contextlib
import http.client
import itertools
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis
import stripe

from service.keys import GROUP, LOG
from tests.chaos.sabotage import victim

if TYPE_CHECKING:
    from tests.flow.conftest import Service

KEY = "sk_test_flow_tests_0123456789abcdef"
EXAMPLES = Path(__file__).parents[1] / "data" / "examples"
numbers = itertools.count(1)


def event(kind: str, obj: dict[str, Any], *, at: int, previous: Any = None) -> dict[str, Any]:
    number = next(numbers)
    data = {"object": obj} | ({} if previous is None else {"previous_attributes": previous})
    return {
        "id": f"evt_flow{number}",
        "object": "event",
        "api_version": "2020-08-27",
        "created": at,
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": f"req_flow{number}", "idempotency_key": None},
        "type": kind,
    }


def customer(customer_id: str, default: str | None = None) -> dict[str, Any]:
    return {
        "id": customer_id,
        "object": "customer",
        "created": 1,
        "default_source": default,
        "livemode": False,
        "metadata": {},
    }


def card(card_id: str, customer_id: str) -> dict[str, Any]:
    return {
        "id": card_id,
        "object": "card",
        "brand": "Visa",
        "customer": customer_id,
        "exp_month": 1,
        "exp_year": 2030,
        "last4": "4242",
        "metadata": {},
    }


def history(customer_id: str, cards: int = 2) -> list[dict[str, Any]]:
    """Return a customer's creation and the adding of its cards, a second apart."""
    first = f"card_{customer_id}0"
    return [
        event("customer.created", customer(customer_id), at=10),
        event(
            "customer.updated",
            customer(customer_id, first),
            at=20,
            previous={"default_source": None},
        ),
        *(
            event("customer.source.created", card(f"card_{customer_id}{n}", customer_id), at=20 + n)
            for n in range(cards)
        ),
    ]


def test_an_accepted_event_is_applied_and_read_back_with_the_official_client(
    service: "Service",
) -> None:
    service.web()
    service.worker()
    for line in (EXAMPLES / "customer_with_card.jsonl").read_bytes().splitlines():
        assert service.deliver(line).json == {"received": True}
    client = stripe.StripeClient(
        KEY, base_addresses={"api": f"http://127.0.0.1:{service.port}"}, max_network_retries=0
    )
    ready = service.ask("/v1/customers/cus_example", Onfile_After="req_example2", Prefer="wait=10")
    assert ready.status == 200
    assert ready.headers["Onfile-Default-Basis"] == "confirmed"
    found = client.v1.customers.retrieve("cus_example")
    assert found.default_source == "card_example"
    listed = client.v1.customers.payment_sources.list("cus_example")
    assert [source.id for source in listed.data] == ["card_example"]


def test_a_redelivery_changes_nothing(service: "Service", eventually: Callable[..., Any]) -> None:
    service.web()
    service.worker()
    events = history("cus_1")
    for one in events:
        service.deliver(one)
    eventually(service.settled)
    before = service.ask("/v1/customers/cus_1?expand[]=sources")
    for one in reversed(events * 3):
        assert service.deliver(one).status == 200
    eventually(service.settled)
    after = service.ask("/v1/customers/cus_1?expand[]=sources")
    assert (after.body, after.headers["ETag"]) == (before.body, before.headers["ETag"])
    assert before.json["default_source"] == "card_cus_10"
    assert [source["id"] for source in before.json["sources"]["data"]] == [
        "card_cus_11",
        "card_cus_10",
    ]


def test_a_poison_event_holds_up_nobody_and_lies_among_the_failed_jobs_with_its_reason(
    service: "Service", eventually: Callable[..., Any]
) -> None:
    service.web()
    service.worker()
    poison = [
        event("customer.source.created", {"object": "card"}, at=5),
        event("customer.updated", [], at=5),  # type: ignore[arg-type]
        event("customer.source.deleted", None, at=5),  # type: ignore[arg-type]
    ]
    good = history("cus_2")
    for one in [good[0], poison[0], good[1], poison[1], *good[2:], poison[2]]:
        assert service.deliver(one).status == 200
    eventually(lambda: len(service.ask("/v1/customers/cus_2/sources").json["data"]) == 2)
    with service.store.client() as client:
        eventually(lambda: client.zcard("rq:failed:events") == 3)
        retries = {
            value["event"]: value for value in map(json.loads, client.hvals("onfile:retries"))
        }
    assert {one["id"] for one in poison} == retries.keys()
    assert {value["state"] for value in retries.values()} == {"failed"}
    assert retries[poison[0]["id"]]["attempts"][-1]["reason"] == "object_without_id"
    assert retries[poison[1]["id"]]["attempts"][-1]["reason"] == "object_not_an_object"


def test_a_poison_event_delays_no_good_one(
    service: "Service", eventually: Callable[..., Any]
) -> None:
    service.web()
    service.worker()
    eventually(lambda: service.workers_alive() == 1)
    for n in range(12):
        good = event("customer.created", customer(f"cus_prompt{n}"), at=10)
        service.deliver(event("customer.source.created", {"object": "card"}, at=5))
        service.deliver(good)
        # Sooner than the workers' own search for what is pending would find it.
        mine = {"Onfile_After": good["id"], "Prefer": "wait=2"}
        assert service.ask(f"/v1/customers/cus_prompt{n}", **mine).status == 200


def test_a_read_waits_for_its_own_write_and_says_so_when_it_does_not_come(
    service: "Service",
) -> None:
    service.web()
    events = history("cus_3")
    for one in events:
        service.deliver(one)
    mine = {"Onfile_After": events[2]["request"]["id"], "Prefer": "wait=1"}
    behind = service.ask("/v1/customers/cus_3/sources", **mine)
    assert behind.status == 504
    assert behind.json["error"]["code"] == "projection_behind"
    service.worker()
    mine["Prefer"] = "wait=10"
    assert service.ask("/v1/customers/cus_3/sources", **mine).status == 200


def taken(client: Any, stream: str) -> int:
    """Return how many a worker has taken and not finished."""
    try:
        return int(client.xpending(stream, GROUP)["pending"])
    except redis.ResponseError:
        return 0  # no worker has come to it yet


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_killed_in_mid_batch_lose_nothing(
    service: "Service", eventually: Callable[..., Any], workers: int
) -> None:
    service.web()
    ids: list[str] = []
    caught = 0
    with service.store.client() as client:
        while not caught:  # they may be done before they are killed
            fresh = [f"cus_kill{len(ids) + n}" for n in range(100)]
            for customer_id in fresh:
                for one in history(customer_id):
                    assert service.deliver(one).status == 200
            ids += fresh
            crew = [service.worker() for _ in range(workers)]
            eventually(lambda: taken(client, LOG) or service.settled())
            for worker in crew:
                worker.kill()
                worker.wait()
            caught = taken(client, LOG)
    service.worker()
    eventually(service.settled)
    for customer_id in ids:
        answer = service.ask(f"/v1/customers/{customer_id}?expand[]=sources").json
        assert answer["default_source"] == f"card_{customer_id}0"
        assert len(answer["sources"]["data"]) == 2


def test_a_store_killed_under_load_keeps_every_acknowledged_event(
    service: "Service", eventually: Callable[..., Any]
) -> None:
    service.web()
    worker = service.worker()
    acknowledged: list[str] = []
    refused: list[int] = []

    def load(thread: int) -> None:
        for n in range(40):
            customer_id = f"cus_store{thread}x{n}"
            for one in history(customer_id, cards=1):
                reply = service.deliver(one)
                while reply.status != 200:
                    refused.append(reply.status)
                    assert reply.headers["Retry-After"]
                    reply = service.deliver(one)
            acknowledged.append(customer_id)

    threads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        eventually(lambda: len(acknowledged) > 10)
        service.store.kill()
        service.store.start()
    for thread in threads:
        thread.join()
    if worker.poll() is not None:  # it could not wait for the store: its supervisor's business
        worker = service.worker()
    eventually(service.settled)
    assert set(refused) <= {503}
    assert len(acknowledged) == 160
    for customer_id in acknowledged:
        answer = service.ask(f"/v1/customers/{customer_id}").json
        assert answer["default_source"] == f"card_{customer_id}0"


def test_a_web_process_killed_under_load_has_lost_nothing_it_acknowledged(
    service: "Service", eventually: Callable[..., Any]
) -> None:
    web = service.web()
    service.worker()
    acknowledged: list[str] = []
    stop = threading.Event()

    def load(thread: int) -> None:
        for n in itertools.count():
            if stop.is_set():
                return
            customer_id = f"cus_web{thread}x{n}"
            created = event("customer.created", customer(customer_id), at=10)
            with contextlib.suppress(OSError, http.client.HTTPException):  # it died with the web
                if service.deliver(created).status == 200:
                    acknowledged.append(customer_id)

    threads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for rounds in range(1, 4):
        enough = rounds * 30
        eventually(lambda enough=enough: len(acknowledged) > enough)
        web.kill()
        web.wait()
        web = service.web()
    stop.set()
    for thread in threads:
        thread.join()
    eventually(service.settled)
    for customer_id in acknowledged:
        assert service.ask(f"/v1/customers/{customer_id}").status == 200


def test_a_store_that_is_away_means_503_and_it_comes_back_by_itself(
    service: "Service", eventually: Callable[..., Any]
) -> None:
    service.web()
    service.store.kill()
    one = event("customer.created", customer("cus_away"), at=10)
    refused = service.deliver(one)
    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert service.ask("/v1/customers/cus_away").status == 503
    assert service.ask("/readyz").status == 503
    assert service.ask("/healthz").status == 200
    service.store.start()
    eventually(lambda: service.deliver(one).status == 200)
    service.worker()
    eventually(lambda: service.ask("/v1/customers/cus_away").status == 200)


def test_sigterm_under_load_ends_every_process_and_loses_nothing(
    service: "Service", eventually: Callable[..., Any]
) -> None:
    web, worker = service.web(), service.worker()
    eventually(lambda: service.workers_alive() == 1)
    ids = [f"cus_term{n}" for n in range(50)]
    for customer_id in ids:
        assert (
            service.deliver(event("customer.created", customer(customer_id), at=10)).status == 200
        )
    for process in (web, worker):
        process.send_signal(signal.SIGTERM)
    assert [web.wait(20), worker.wait(20)] == [0, 0]
    service.web()
    service.worker()
    eventually(service.settled)
    assert all(service.ask(f"/v1/customers/{customer_id}").status == 200 for customer_id in ids)


def test_a_worker_whose_memory_is_out_ends_and_the_next_one_is_not_held_up(
    service: "Service", eventually: Callable[..., Any]
) -> None:
    service.web()
    doomed = service.start("handler:devour", "worker", module="tests.chaos.sabotage")
    greedy = created_now("cus_greedy")
    while not victim(greedy["id"]):
        greedy = created_now("cus_greedy")
    service.deliver(greedy)
    assert doomed.wait(30) == 1
    service.worker()
    service.deliver(created_now("cus_modest"))
    eventually(lambda: service.ask("/v1/customers/cus_modest").status == 200)


def created_now(customer_id: str) -> dict[str, Any]:
    return event("customer.created", customer(customer_id), at=10)


def test_no_line_of_the_log_shows_anything_personal_or_secret(
    service: "Service", eventually: Callable[..., Any]
) -> None:
    service.web(ONFILE_LOG_LEVEL="debug")
    service.worker(ONFILE_LOG_LEVEL="debug")
    person = {
        "name": "Zoe Zwetschge",
        "email": "zoe@zwetschge.example",
        "phone": "+4912345678",
        "address": {"line1": "Pflaumenweg 7"},
    }
    source = {
        "id": "src_private",
        "object": "source",
        "status": "chargeable",
        "type": "card",
        "client_secret": "src_client_secret_ThisIsPrivate",
        "owner": person,
    }
    service.deliver(event("customer.created", customer("cus_private") | person, at=10))
    service.deliver(event("source.chargeable", source, at=10))
    service.deliver(event("customer.source.created", person, at=10))
    service.deliver(b'{"id": "evt_x", "zoe@zwetschge.example": ')
    eventually(lambda: any(line["event"] == "event.failed" for line in service.log_lines()))
    said = (service.folder / "log").read_text()
    private = [*person.values(), "Pflaumenweg", "ThisIsPrivate", KEY, "whsec_flow"]
    assert not [text for text in private if str(text) in said]


def test_the_tools_of_rq_show_and_requeue_a_dead_letter(
    service: "Service", eventually: Callable[..., Any]
) -> None:
    service.web()
    service.worker()
    poison = event("customer.source.created", {"object": "card"}, at=5)
    service.deliver(poison)
    with service.store.client() as client:
        eventually(lambda: client.zscore("rq:failed:events", poison["id"]) is not None)

        def attempts() -> int:
            (history,) = client.hvals("onfile:retries")
            return len(json.loads(history)["attempts"])

        before = attempts()
        rq(service, "requeue", "--queue", "events", poison["id"])
        eventually(lambda: attempts() > before)
        eventually(lambda: client.zscore("rq:failed:events", poison["id"]) is not None)
    assert "events" in rq(service, "info", "--raw")


def rq(service: "Service", command: str, *arguments: str) -> str:
    tool = [sys.executable, "-m", "rq.cli", command, "--url", service.store.url]
    if command != "info":
        tool += ["--serializer", "rq.serializers.JSONSerializer"]
    result = subprocess.run([*tool, *arguments], capture_output=True, text=True, check=True)
    return result.stdout
