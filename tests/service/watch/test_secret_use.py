"""Which secret signed what came: noted by the web, read by operators, never the secret itself."""

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from service.keys import SECRETS
from service.log.intake import Intake
from service.settings import Settings
from service.signature import sign
from service.stores import connect_async
from service.watch.secret_use import WebhookSecret, fingerprint, webhook_secrets
from service.web.webhook import Webhook

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.service.conftest import EventBody

OLD, NEW = "whsec_old_0123456789abcdef", "whsec_new_0123456789abcdef"
ASGI_OK = 200


def delivered(store: "Store", body: bytes, header: str, secrets: tuple[str, ...]) -> int:
    """Deliver to a web process that knows these secrets; returns the status."""

    async def run() -> int:
        sent: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: object) -> None:
            sent.append(message)  # type: ignore[arg-type]

        async with connect_async(store.url) as client:
            intake = Intake(client)
            settings = Settings(redis_url=store.url, webhook_secrets=secrets)
            scope = {"headers": [(b"stripe-signature", header.encode())]}
            await Webhook(settings, intake)(scope, receive, send)
            await intake.close()
        return int(str(sent[0]["status"]))

    return asyncio.run(run())


def both(body: bytes) -> str:
    """Sign as Stripe does while a secret is being rolled."""
    now = time.time()
    return f"{sign(body, OLD, now=now)},{sign(body, NEW, now=now).partition(',')[2]}"


def noted(store: "Store") -> dict[str, WebhookSecret]:
    with store.client() as client:
        return {secret.fingerprint: secret for secret in webhook_secrets(client)}


def test_the_secret_that_matched_is_noted_by_its_position_and_fingerprint(
    store: "Store", event_body: "EventBody"
) -> None:
    body, began = event_body(), time.time()
    assert delivered(store, body, sign(body, NEW, now=began), (OLD, NEW)) == ASGI_OK
    known = noted(store)
    new, old = known[fingerprint(NEW)], known[fingerprint(OLD)]
    assert (new.position, old.position) == (2, 1)
    assert new.configured
    assert old.configured
    assert new.matched is not None
    assert new.matched == new.needed
    assert new.matched >= began
    assert (old.matched, old.needed) == (None, None)
    with store.client() as client:
        everything = repr(client.hgetall(SECRETS))
    assert "whsec" not in everything


@pytest.mark.parametrize("secrets", [(OLD, NEW), (NEW, OLD)])
def test_while_both_sign_neither_is_needed(
    store: "Store", event_body: "EventBody", secrets: tuple[str, ...]
) -> None:
    body = event_body()
    assert delivered(store, body, both(body), secrets) == ASGI_OK
    known = noted(store)
    assert known[fingerprint(secrets[0])].matched is not None
    assert [secret.needed for secret in known.values()] == [None, None]


def test_the_old_one_is_needed_while_only_it_is_known(
    store: "Store", event_body: "EventBody"
) -> None:
    body = event_body()
    delivered(store, body, both(body), (OLD,))
    assert noted(store)[fingerprint(OLD)].needed is not None


def test_a_secret_that_was_taken_out_is_configured_no_more(
    store: "Store", event_body: "EventBody", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.watch.secret_use.CONFIGURED_SECONDS", 0.01)
    body = event_body()
    delivered(store, body, both(body), (OLD, NEW))
    time.sleep(0.02)
    delivered(store, body, both(body), (NEW,))
    assert {name: secret.configured for name, secret in noted(store).items()} == {
        fingerprint(OLD): False,
        fingerprint(NEW): True,
    }


def test_a_refused_delivery_notes_nothing(store: "Store", event_body: "EventBody") -> None:
    body = event_body()
    assert delivered(store, body, sign(body, "whsec_other", now=time.time()), (OLD, NEW)) != ASGI_OK
    assert noted(store) == {}
