"""A canary in every personal field: none is in a line of the log, and none in a byte if dropped."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from rq.job import Job
from rq.results import Result
from rq.serializers import JSONSerializer

from service.drop import Drop
from service.personal_fields import GROUPS
from tests.canaries import MARK, canary, filled
from tests.service.sandbox.stripe_schemas import judge
from tests.store_contents import in_files, in_keys
from tests.workers.notation import embedded, event

if TYPE_CHECKING:
    from tests.flow.conftest import Service

CUSTOMER = "cus_bird"
KINDS = {"card": "card_bird", "bank_account": "ba_bird", "source": "src_bird"}
NOTED = {"metadata": {"note": "kept"}}
MARKED = MARK.encode()
ELSEWHERE = "Zoe Robin"
"""Where no name belongs, and so not dropped; but said by nobody either."""

OBJECT = "customer.source.created"


def sources() -> list[dict[str, Any]]:
    known = {"customer": CUSTOMER, **NOTED}
    return [filled(kind, id=one, object=kind, **known) for kind, one in KINDS.items()]


def customer(at: int, **more: Any) -> dict[str, Any]:
    known = {"id": CUSTOMER, "created": at, "default_source": "card_bird", **NOTED}
    return filled("customer", **known, **more)


def life() -> list[bytes]:
    """Return a customer's life, told by every kind of object there is."""
    view = filled("payment_method", id="card_bird", customer=CUSTOMER, **NOTED)
    previous = {name: value for name, value in customer(3).items() if MARK in json.dumps(value)}
    return [
        event("customer.created", customer(2, sources=embedded(*reversed(sources()))), 2),
        *(event(OBJECT, one, 2) for one in sources()),
        event("source.chargeable", sources()[-1], 2),
        event("payment_method.attached", view, 2),
        event("customer.updated", customer(3), 3, previous=previous),
        event("payment_method.updated", view, 4, previous={"billing_details": {"name": canary()}}),
        event("payment_method.attached", filled("payment_method", id="pm_1", customer=CUSTOMER), 4),
        event("source.transaction.created", filled("source_transaction", id="srctxn_1"), 4),
    ]


def poison() -> list[bytes]:
    """Return events that can never be applied, each for a reason of its own."""
    return [
        event(OBJECT, {"object": "card", "customer": CUSTOMER, "name": canary()}, 5),
        event(OBJECT, {"object": ELSEWHERE, "id": "card_1", "email": canary()}, 5),
        event(OBJECT, {"object": "card", "id": "card_2", "name": canary(), "brand": _nested()}, 5),
        event("customer.updated", {"object": "customer", "id": [ELSEWHERE], "name": canary()}, 5),
    ]


def refused() -> list[bytes]:
    person = json.dumps({"email": f"{canary()}@example.com", "name": canary()})
    return [person.encode(), person.encode()[:-1], f'{{"id":"{canary()}","type":1}}'.encode()]


def _nested() -> Any:
    value: Any = 1
    for _ in range(150):
        value = [value]
    return value


def tracebacks(client: Any) -> str:
    """Return all that RQ keeps of failed jobs."""
    ids = [key.rpartition(b":")[2].decode() for key in client.keys("rq:job:*")]
    jobs = Job.fetch_many(ids, connection=client, serializer=JSONSerializer)
    results = [result for job in jobs if job for result in Result.all(job, JSONSerializer)]
    return "\n".join(result.exc_string or "" for result in results)


@pytest.mark.parametrize("drop_fields", ["", "all"])
def test_personal_fields_are_in_no_line_and_those_dropped_are_in_no_byte(
    service: "Service", eventually: Callable[..., Any], drop_fields: str
) -> None:
    setting = {"ONFILE_DROP_FIELDS": drop_fields}
    service.web(**setting)
    service.worker(**setting)
    events = life()
    for body in (*events, *events[::3], *poison()):
        assert service.deliver(body).status == 200
    for body in refused():
        assert service.deliver(body).status == 400
    client = service.store.client()
    eventually(lambda: client.zcard("onfile:failed") == len(poison()))

    told = (service.folder / "log").read_text()
    assert told.count("event.failed") == len(poison())
    failed = service.run("failed", "list", "--json").stdout
    assert len(json.loads(failed)["failed"]) == len(poison())
    assert "UnprojectableError" in tracebacks(client)
    for text in (told, failed, tracebacks(client), str(service.ask("/metrics").body)):
        assert MARK not in text
        assert ELSEWHERE not in text

    answer = service.ask(f"/v1/customers/{CUSTOMER}?expand[]=sources&expand[]=default_source")
    if not drop_fields:
        assert MARKED in in_keys(client)
        assert MARKED in in_files(service.folder)
        assert MARKED in answer.body
        rebuilt = service.run("rebuild", "--json", ONFILE_DROP_FIELDS="all")
        assert json.loads(rebuilt.stdout)["changed"] == 1 + len(KINDS), rebuilt.stderr
        assert MARKED not in service.ask(f"/v1/customers/{CUSTOMER}?expand[]=sources").body
        return
    for held in (in_keys(client), in_files(service.folder)):
        assert MARKED not in held
    judge(answer.json)
    assert answer.headers["Onfile-Default-Basis"] == "confirmed"
    assert "Onfile-Ambiguous" not in answer.headers
    drop = Drop(GROUPS)
    assert answer.json["default_source"] == json.loads(drop(json.dumps(sources()[0]).encode()))
    assert {one["id"] for one in answer.json["sources"]["data"]} == set(KINDS.values())
    for one in answer.json["sources"]["data"]:
        judge(one)
