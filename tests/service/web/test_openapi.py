"""The description against the application: no route undescribed, no answer that does not fit."""

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from starlette.routing import Route

from service.documents import ListedSource
from service.settings import Settings
from service.web.app import create_app
from service.web.openapi import DOCUMENT
from service.web.query import Query

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tests.conftest import Store
    from tests.service.conftest import EventBody
    from tests.service.web.conftest import Reply, Web

OF_CONNECTION = {"content-type", "content-length", "date", "server", "connection"}


def routes() -> Iterator[Route]:
    settings = Settings(
        redis_url="redis://127.0.0.1:1/0", webhook_secrets=("whsec_x",), api_keys=("a_test_b",)
    )
    for route in create_app(settings, lambda *_: None).routes:
        assert isinstance(route, Route)
        yield route


def operation(path: str, method: str = "get") -> dict[str, Any]:
    return dict(DOCUMENT["paths"][path][method])


def validate(value: object, schema: dict[str, Any]) -> None:
    whole = {"components": DOCUMENT["components"], **schema}
    Draft202012Validator(whole).validate(value)


def fits(reply: "Reply", path: str, method: str = "get") -> None:
    """Fail unless status, headers and body are as described."""
    described = operation(path, method)["responses"][str(reply.status)]
    if "content" in described:
        validate(reply.json, described["content"]["application/json"]["schema"])
    else:
        assert reply.body == b""
    headers = {name.lower() for name in described.get("headers", {})}
    sent = {name.lower() for name in reply.headers} - OF_CONNECTION
    assert sent - {"cache-control", "vary", "allow"} <= headers


def test_every_route_and_method_is_described_and_nothing_else() -> None:
    served = {
        (route.path, method.lower())
        for route in routes()
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}
    assert served == described


def test_every_parameter_of_a_query_is_described_and_nothing_else() -> None:
    for route in routes():
        if not isinstance(route.endpoint, Query):
            continue
        parameters = operation(route.path)["parameters"]
        described = {one["name"] for one in parameters if one["in"] == "query"}
        expand = {"expand[]"} if any(route.endpoint.expandable) else set()
        assert described == route.endpoint.known | expand
        in_path = {one["name"] for one in parameters if one["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", route.path))


def test_every_reference_leads_somewhere() -> None:
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert names <= set(DOCUMENT["components"]["schemas"])
    Draft202012Validator.check_schema({"$defs": DOCUMENT["components"]["schemas"]})


@pytest.fixture
def full(web: "Web", a_source: Callable[..., ListedSource]) -> "Web":
    web.plant_customer("cus_1", a_source("src_1", "source"), default="src_1", ambiguous=["order"])
    web.plant_customer("cus_2")
    web.plant_customer(
        "cus_gone", body=b'{"id":"cus_gone","object":"customer","deleted":true}', deleted=True
    )
    web.plant_source("src_1", owner="cus_1")
    web.plant_timeline("cus_1", 3)
    return web


QUERIES = {
    "/v1/customers/{customer}": "/v1/customers/cus_1",
    "/v1/customers/{customer}/sources": "/v1/customers/cus_1/sources",
    "/v1/customers/{customer}/default_source": "/v1/customers/cus_1/default_source",
    "/v1/customers/{customer}/timeline": "/v1/customers/cus_1/timeline",
    "/v1/customers/{customer}/sources/{id}": "/v1/customers/cus_1/sources/src_1",
    "/v1/sources/{source}": "/v1/sources/src_1",
}


@pytest.mark.parametrize("path", QUERIES)
def test_every_answer_of_every_query_is_as_described(full: "Web", path: str) -> None:
    url = QUERIES[path]
    found = full.ask(url)
    replies = [
        found,
        full.ask(url, If_None_Match=found.headers["ETag"]),
        full.ask(f"{url}?foo=1"),
        full.ask(url, key=""),
        full.ask(url.replace("_1", "_x")),
        full.ask(url, method="POST"),
        full.ask(url, Onfile_After="evt_x", Prefer="wait=0"),
    ]
    assert [reply.status for reply in replies] == [200, 304, 400, 401, 404, 405, 504]
    for reply in replies:
        fits(reply, path)
    with full.store.client() as client:
        for key in client.keys("onfile:[cs]:*"):
            client.set(key, b"broken")
    broken = full.ask(url)
    assert broken.status == 500
    fits(broken, path)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/v1/customers/cus_2", "/v1/customers/{customer}"),
        ("/v1/customers/cus_gone", "/v1/customers/{customer}"),
        (
            "/v1/customers/cus_1?expand[]=sources&expand[]=default_source",
            "/v1/customers/{customer}",
        ),
        ("/v1/customers/cus_2/default_source", "/v1/customers/{customer}/default_source"),
        (
            "/v1/customers/cus_1/sources?expand[]=total_count&limit=1&object=source",
            "/v1/customers/{customer}/sources",
        ),
        ("/healthz", "/healthz"),
        ("/readyz", "/readyz"),
        ("/openapi.json", "/openapi.json"),
    ],
)
def test_every_other_shape_is_as_described(full: "Web", url: str, path: str) -> None:
    reply = full.ask(url)
    assert reply.status == 200
    fits(reply, path)


def test_without_a_store_the_answers_are_as_described(
    own_store: "Store", serving: "Callable[[Store], AbstractContextManager[Web]]"
) -> None:
    own_store.kill()
    with serving(own_store) as web:
        for url, path in (*((url, path) for path, url in QUERIES.items()), ("/readyz", "/readyz")):
            reply = web.ask(url)
            assert reply.status == 503
            fits(reply, path)


def test_a_delivery_is_answered_as_described(web: "Web", event_body: "EventBody") -> None:
    signed = web.deliver(event_body("evt_1"))
    assert signed.status == 200
    fits(signed, "/webhooks/stripe", "post")
    unsigned = web.ask("/webhooks/stripe", "", method="POST", body=event_body("evt_1"))
    assert unsigned.status == 400
    fits(unsigned, "/webhooks/stripe", "post")
    read = web.ask("/webhooks/stripe", "")
    assert read.status == 405
    fits(read, "/webhooks/stripe", "post")
