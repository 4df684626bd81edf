"""Every endpoint with every wrong key: nothing is answered, and no key opens another's door."""

import re
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from starlette.routing import Route

from service.keys import Namespace
from service.settings import Settings
from service.signature import sign
from service.web.app import create_app

if TYPE_CHECKING:
    from tests.service.web.conftest import Web

OPEN = {"/healthz", "/readyz", "/openapi.json"}
METRICS = "/metrics"
WEBHOOK = "/webhooks/stripe"
ROUTES = list(create_app(Settings(redis_url="redis://x"), lambda *_: None).routes)
QUERIES = [
    route.path
    for route in ROUTES
    if isinstance(route, Route) and route.path not in {*OPEN, WEBHOOK}
]
TEST_KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"

WRONG = {
    "none": "",
    "an empty one": "Bearer ",
    "another": "Bearer sk_test_4eC39HqLyjWDarjtT1zdp7dd",
    "one character less": f"Bearer {TEST_KEY[:-1]}",
    "one character more": f"Bearer {TEST_KEY}x",
    "its hash": f"Bearer sha256:test:{sha256(TEST_KEY.encode()).hexdigest()}",
    "its mode changed": f"Bearer {TEST_KEY.replace('test', 'live')}",
    "the webhook's secret": "Bearer whsec_for_tests",
    "the operators' key": "Bearer ops_for_tests_0123456789",
    "all of the setting": f"Bearer {TEST_KEY},sk_live_51H8xMnOpQrStUvWxYz0",
    "as a password": "Basic OnNrX3Rlc3RfNGVDMzlIcUx5aldEYXJqdFQxemRwN2Rj",
    "another scheme": f"Token {TEST_KEY}",
}


def at(path: str) -> str:
    """Fill a route's path with what is planted."""
    ids = {"customer": "cus_1", "source": "src_1", "id": "card_1"}
    return re.sub(r"\{(\w+)\}", lambda match: ids[match[1]], path)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("path", QUERIES)
def test_no_query_answers_a_wrong_key(web: "Web", path: str, wrong: str) -> None:
    sent: dict[str, Any] = {"Authorization": wrong} if wrong else {}
    refused = web.ask(at(path), "", **sent)
    assert refused.status == web.ask(at(path), "", method="HEAD", **sent).status == 401
    given = wrong.partition(" ")[2]
    assert not given or given not in refused.error["message"]


@pytest.mark.parametrize("path", sorted({*QUERIES} - {METRICS}))
@pytest.mark.parametrize(
    ("mode", "account"), [("live", ""), ("test", "acct_1"), ("live", "acct_1")]
)
def test_what_is_another_mode_s_or_account_s_is_not_there(
    web: "Web", path: str, mode: str, account: str
) -> None:
    web.plant_customer("cus_1", namespace=Namespace(account, mode))
    web.plant_source("src_1", namespace=Namespace(account, mode))
    assert web.ask(at(path)).status == 404


def test_no_query_key_opens_the_metrics(web: "Web") -> None:
    assert web.ask(METRICS, TEST_KEY).status == web.ask(METRICS, web.live_key).status == 401
    assert web.ask(METRICS, web.metrics_key).status == 200


@pytest.mark.parametrize("key", [TEST_KEY, "ops_for_tests_0123456789", "whsec_for_tests"])
def test_no_key_is_a_signature(web: "Web", key: str) -> None:
    body = b'{"id": "evt_1", "object": "event", "type": "customer.created"}'
    signature = sign(body, key + "x", now=time.time())
    refused = web.ask(WEBHOOK, key, method="POST", body=body, Stripe_Signature=signature)
    assert (refused.status, refused.error["code"]) == (400, "no_valid_signature")


@pytest.mark.parametrize("path", [*QUERIES, *sorted(OPEN)])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_key_writes(web: "Web", path: str, method: str) -> None:
    assert web.ask(at(path), method=method).status == 405


def test_every_route_is_one_of_those_tried_here() -> None:
    paths = {route.path for route in ROUTES if isinstance(route, Route)}
    assert paths == {*QUERIES, *OPEN, WEBHOOK}
