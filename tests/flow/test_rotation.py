"""Secrets and keys are rolled by writing to their files, while deliveries and queries come in."""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from service.signature import sign

if TYPE_CHECKING:
    from tests.flow.conftest import Service

OLD, NEW = "whsec_old_0123456789abcdef", "whsec_new_0123456789abcdef"
OLD_KEY, NEW_KEY = "sk_test_old_0123456789abcdef", "sk_test_new_0123456789abcdef"
OLD_SCRAPING_KEY, NEW_SCRAPING_KEY = "scraping_old_0123456789", "scraping_new_0123456789"
SECRETS = (OLD, NEW, OLD_KEY, NEW_KEY, OLD_SCRAPING_KEY, NEW_SCRAPING_KEY)
numbers = itertools.count()


def deliver(port: int, *secrets: str) -> int:
    """Deliver an event signed with each of them, as Stripe does while one is rolled."""
    event = {
        "id": f"evt_rotation{next(numbers)}",
        "object": "event",
        "type": "customer.created",
        "created": 1,
        "data": {"object": {"id": "cus_1", "object": "customer"}},
    }
    body = json.dumps(event).encode()
    now = time.time()
    first, *others = (sign(body, secret, now=now) for secret in secrets)
    signature = ",".join([first, *(other.partition(",")[2] for other in others)])
    return ask(port, "POST", "/webhooks/stripe", body, {"Stripe-Signature": signature})


def query(port: int, key: str) -> int:
    return ask(port, "GET", "/v1/customers/cus_1", None, {"Authorization": f"Bearer {key}"})


def scrape(port: int, key: str) -> int:
    return ask(port, "GET", "/metrics", None, {"Authorization": f"Bearer {key}"})


def ask(port: int, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        connection.request(method, path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


class Load:
    """Asks again and again in a thread, until the block is left."""

    def __init__(self, one: Callable[[], int]) -> None:
        self.statuses: list[int] = []
        self._one = one
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            self.statuses.append(self._one())


def test_a_rotation_loses_no_delivery_and_refuses_no_right_key(
    service: "Service", tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    secrets, keys, scraping = tmp_path / "secrets", tmp_path / "keys", tmp_path / "scraping"
    secrets.write_text(f"{OLD}\n")
    keys.write_text(f"{OLD_KEY}\n")
    scraping.write_text(f"{OLD_SCRAPING_KEY}\n")
    service.web(
        STRIPE_WEBHOOK_SECRET="",
        STRIPE_WEBHOOK_SECRET_FILE=str(secrets),
        ONFILE_API_KEYS="",
        ONFILE_API_KEYS_FILE=str(keys),
        ONFILE_METRICS_KEY_FILE=str(scraping),
    )
    port = service.port
    assert (deliver(port, OLD), deliver(port, NEW)) == (200, 400)
    with (
        Load(lambda: deliver(port, NEW, OLD)) as deliveries,
        Load(lambda: query(port, using[0])) as queries,
    ):
        secrets.write_text(f"{OLD}\n{NEW}\n")
        keys.write_text(f"{OLD_KEY}\n{NEW_KEY}\n")
        eventually(lambda: deliver(port, NEW) == 200 and query(port, NEW_KEY) == 404)
        assert (deliver(port, OLD), query(port, OLD_KEY)) == (200, 404)
        keys.write_text("")
        eventually(lambda: any(line["event"] == "secrets.refused" for line in service.log_lines()))
        assert (query(port, OLD_KEY), query(port, NEW_KEY)) == (404, 404)
        using[0] = NEW_KEY
        secrets.write_text(f"{NEW}\n")
        keys.write_text(f"{NEW_KEY}\n")
        scraping.write_text(f"{NEW_SCRAPING_KEY}\n")
        eventually(lambda: deliver(port, OLD) == 400 and query(port, OLD_KEY) == 401)
        eventually(lambda: scrape(port, NEW_SCRAPING_KEY) == 200)
        assert scrape(port, OLD_SCRAPING_KEY) == 401
    assert set(deliveries.statuses) == {200}
    assert set(queries.statuses) == {404}
    said = (service.folder / "log").read_text()
    assert not [secret for secret in SECRETS if secret in said]


using = [OLD_KEY]
