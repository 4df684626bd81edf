"""A person is forgotten while the service runs: not a byte of it is left in the store's files."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.store_contents import in_files, in_keys

if TYPE_CHECKING:
    from tests.flow.conftest import Service

NAME, EMAIL, LAST4 = "Zoe Quirk", "zoe@quirk.example", "8x57"
"""Her last four digits are not all digits, so that no clock writes them by chance."""

numbers = itertools.count(1)


def event(kind: str, fields: dict[str, Any], at: int, previous: Any = None) -> dict[str, Any]:
    number = next(numbers)
    data = {"object": fields} | ({} if previous is None else {"previous_attributes": previous})
    return {
        "id": f"evt_forget{number}",
        "object": "event",
        "created": at,
        "data": data,
        "livemode": False,
        "request": {"id": f"req_forget{number}", "idempotency_key": None},
        "type": kind,
    }


def customer(at: int) -> dict[str, Any]:
    person = {"name": NAME, "email": EMAIL, "default_source": "card_zoe"}
    return event("customer.created", {"id": "cus_zoe", "object": "customer"} | person, at)


def card(card_id: str, owner: str, at: int, **more: Any) -> dict[str, Any]:
    fields = {"id": card_id, "object": "card", "customer": owner, **more}
    return event("customer.source.created", fields, at)


def payment_method(at: int) -> dict[str, Any]:
    details = {"billing_details": {"name": NAME, "email": EMAIL}, "card": {"last4": LAST4}}
    fields = {"id": "pm_zoe", "object": "payment_method", "customer": "cus_zoe"} | details
    return event("payment_method.attached", fields, at)


def poison(at: int) -> dict[str, Any]:
    """Return an event about her that can never be applied."""
    fields = {"object": "card", "customer": "cus_zoe", "name": NAME}
    return event("customer.source.created", fields, at)


def test_a_forgotten_person_is_in_no_key_and_in_no_file(
    service: "Service", eventually: Callable[..., Any]
) -> None:
    service.web()
    service.worker()
    for body in (
        customer(10),
        card("card_zoe", "cus_zoe", 10, name=NAME, last4=LAST4),
        payment_method(11),
        poison(12),
        card("card_yan", "cus_yan", 12, name="Yan"),
    ):
        assert service.deliver(body).status == 200
    client = service.store.client()
    client.config_set("rdbcompression", "no")  # so that its files show what is in them
    client.set("marker", EMAIL)  # uncompressed, so that the file is known to hold it
    client.delete("marker")
    eventually(lambda: client.zcard("onfile:failed") == 1)
    eventually(lambda: service.ask("/v1/customers/cus_zoe/timeline").json["data"])
    words = [word.encode() for word in (NAME, EMAIL, LAST4)]
    assert all(word in in_keys(client) for word in words)
    assert all(word in in_files(service.folder) for word in words)

    done = subprocess.run(
        [sys.executable, "-m", "workers.cli.main", "forget", "cus_zoe", "--yes", "--json"],
        env={"REDIS_URL": service.store.url},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["erased_entries"] == 4
    assert not [word for word in words if word in in_keys(client)]
    eventually(lambda: not [word for word in words if word in in_files(service.folder)])

    late = card("card_late", "cus_zoe", 20, name=NAME, last4=LAST4)
    assert service.deliver(late).status == 200
    assert service.deliver(payment_method(21)).status == 200
    eventually(lambda: client.xlen("onfile:log") == 1 and service.settled())
    assert not [word for word in words if word in in_keys(client)]
    assert service.ask("/v1/customers/cus_zoe").json["deleted"] is True
    assert service.ask("/v1/customers/cus_zoe/sources").status == 404
    [change] = service.ask("/v1/customers/cus_zoe/timeline").json["data"]
    assert change["type"] == "customer.forgotten"
    listed = service.ask("/v1/customers/cus_yan/sources").json["data"]
    assert [source["id"] for source in listed] == ["card_yan"]
