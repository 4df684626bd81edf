"""Queries about what is encrypted: answered as ever with the key, and a clear 503 without it."""

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from service import sealing
from service.documents import opened, sealed
from service.keys import LOG, Namespace, customer_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.documents import ListedSource
    from tests.service.web.conftest import Web

KEY, OTHER = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
EVENT = b"""{"id": "evt_1", "object": "event", "type": "customer.created", "created": 1,
"data": {"object": {"id": "cus_1", "object": "customer", "email": "zoe@example.org"}}}"""


@pytest.fixture
def encrypted(web: "Web", a_source: "Callable[..., ListedSource]") -> Iterator["Web"]:
    """A customer that lies there encrypted, in a process that has the key."""
    sealing.use((KEY,))
    web.plant_customer("cus_1", a_source("card_1"), default="card_1")
    key = customer_key(Namespace("", "test"), "cus_1")
    with web.store.client() as client:
        client.set(key, sealed(key, client.get(key)))
        assert b"card_1" not in client.get(key)
        assert opened(key, client.get(key)) != client.get(key)
    yield web
    sealing.use(())


def test_with_the_key_it_is_answered_as_ever(encrypted: "Web") -> None:
    assert encrypted.ask("/v1/customers/cus_1").json["default_source"] == "card_1"
    sealing.use((OTHER, KEY))
    assert encrypted.ask("/v1/customers/cus_1/sources").json["data"][0]["id"] == "card_1"


@pytest.mark.parametrize("keys", [(), (OTHER,)])
@pytest.mark.parametrize("below", ["", "/sources", "/sources/card_1", "/default_source"])
def test_without_it_it_is_unreadable_and_not_missing(
    encrypted: "Web", below: str, keys: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    missing = sealing.current.key_id
    sealing.use(keys)
    refused = encrypted.ask(f"/v1/customers/cus_1{below}")
    assert (refused.status, refused.error["code"]) == (503, "store_unreadable")
    assert int(refused.headers["Retry-After"]) > 1
    assert missing not in refused.body.decode()
    said = capfd.readouterr().out
    assert f"encrypted under key {missing}, which is not in ONFILE_ENCRYPTION_KEYS" in said
    assert "Traceback" not in said
    assert encrypted.ask("/v1/customers/cus_2").status == 404
    sealing.use((KEY,))
    assert encrypted.ask(f"/v1/customers/cus_1{below}").status == 200


def test_a_delivery_is_encrypted_and_known_when_it_comes_again(encrypted: "Web") -> None:
    assert encrypted.deliver(EVENT).status == 200
    sealing.use((OTHER, KEY))
    assert encrypted.deliver(EVENT).status == 200
    sealing.use(("none", OTHER, KEY))
    assert encrypted.deliver(EVENT).status == 200
    with encrypted.store.client() as client:
        [(_, fields)] = client.xrange(LOG)
    assert sealing.key_id_of(fields[b"body"])
    assert b"zoe" not in fields[b"body"]
