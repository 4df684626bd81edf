"""Errors in Stripe's own shape, those that nobody foresaw included."""

import json
import logging
import socket
import time
from typing import TYPE_CHECKING

import pytest
import structlog

from service.web import webhook

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.conftest import Store
    from tests.service.web.conftest import Web


def test_an_unknown_url_is_named_in_stripes_words(web: "Web") -> None:
    refused = web.ask("/v1/charges")
    assert refused.status == 404
    assert refused.error["type"] == "invalid_request_error"
    assert refused.error["message"].startswith("Unrecognized request URL (GET: /v1/charges). If")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/customers",
        "/v1/customers/",
        "/v1/customers//sources",
        "/v1/sources/",
        "/v1/%ff%00",
    ],
)
def test_a_url_without_an_id_is_unknown_and_redirects_nobody(web: "Web", path: str) -> None:
    refused = web.ask(path)
    assert refused.status == 404
    assert "Unrecognized request URL" in refused.error["message"]


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/customers/search?query=email:'a@b.c'"])
def test_what_stripe_lists_and_searches_is_said_to_be_stripes(web: "Web", path: str) -> None:
    refused = web.ask(path)
    assert refused.status == 404
    assert "Onfile knows customers by their ids" in refused.error["message"]


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
@pytest.mark.parametrize("path", ["/v1/customers/cus_1", "/v1/customers/cus_1/sources/card_1"])
def test_a_write_is_refused_because_onfile_only_reads(web: "Web", method: str, path: str) -> None:
    refused = web.ask(path, method=method)
    assert refused.status == 405
    assert refused.error["message"].startswith(f"Onfile only reads ({method}: {path}).")
    assert "GET" in refused.headers["Allow"]


def test_every_error_has_a_request_id_and_may_not_be_kept(web: "Web") -> None:
    for reply in (
        web.ask("/v1/charges"),
        web.ask("/v1/customers/cus_1"),
        web.ask("/v1/customers/cus_1", key=""),
        web.ask("/v1/customers/cus_1?foo=1"),
        web.ask("/v1/customers/cus_1", method="POST"),
    ):
        assert reply.headers["Request-Id"].startswith("req_")
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Content-Type"] == "application/json"


def test_an_id_of_any_characters_is_only_missing(web: "Web") -> None:
    for quoted in ("%22%7D", "a%7Bb%7D", "%E2%82%AC", "%00", "*", "x" * 2000, "%ED%A0%80"):
        reply = web.ask(f"/v1/customers/{quoted}")
        assert (reply.status, reply.error["code"]) == (404, "resource_missing")


def test_a_bug_is_answered_in_stripes_shape_and_logged_once_with_its_traceback(
    web: "Web", caplog: pytest.LogCaptureFixture
) -> None:
    with web.store.client() as client:
        client.set("onfile:c:{test::cus_1}", b"\x00" * 8 + b"broken")
    with structlog.testing.capture_logs() as lines, caplog.at_level(logging.ERROR):
        reply = web.ask("/v1/customers/cus_1")
    assert reply.status == 500
    assert reply.error["type"] == "api_error"
    assert "broken" not in json.dumps(reply.error)
    failed = [line for line in lines if line["event"] == "query.failed"]
    assert [line["request_id"] for line in failed] == [reply.headers["Request-Id"]]
    give_up = time.monotonic() + 5
    while not caplog.records and time.monotonic() < give_up:
        time.sleep(0.005)  # the server writes the traceback after the answer
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_a_bug_in_taking_a_delivery_has_stripe_send_it_again(
    web: "Web", monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(webhook, "read_event", None)
        refused = web.deliver(b"{}")
    assert (refused.status, refused.error["type"]) == (500, "api_error")
    assert web.deliver(b"{}").status == 400


def test_refusals_are_logged_by_reason_and_hold_nothing_that_was_asked(web: "Web") -> None:
    with structlog.testing.capture_logs() as lines:
        reply = web.ask("/v1/customers/cus_secret?limit=secret", key="sk_test_secretsecret")
    assert lines == [
        {
            "event": "query.refused",
            "log_level": "info",
            "status": 401,
            "reason": "wrong_key",
            "route": "/v1/customers/{customer}",
            "param": None,
            "method": "GET",
            "request_id": reply.headers["Request-Id"],
        }
    ]


def test_while_the_store_is_away_queries_get_503_and_it_comes_back_by_itself(
    own_store: "Store", serving: "Callable[[Store], AbstractContextManager[Web]]"
) -> None:
    with serving(own_store) as web:
        web.plant_customer("cus_1")
        assert web.ask("/v1/customers/cus_1").status == 200
        own_store.kill()
        for path in ("/v1/customers/cus_1", "/v1/sources/src_1"):
            refused = web.ask(path)
            assert refused.status == 503
            assert refused.error["code"] == "store_unavailable"
            assert refused.headers["Retry-After"] == "1"
        after = web.ask("/v1/customers/cus_1", Onfile_After="evt_1")
        assert (after.status, after.error["code"]) == (503, "store_unavailable")
        own_store.start()
        assert web.ask("/v1/customers/cus_1").status == 200


def test_nothing_malformed_on_the_wire_is_a_server_error(web: "Web") -> None:
    for head in (
        b"GET /v1/customers/\xff HTTP/1.1\r\n",
        b"GET /v1/customers/cus_1?\xff HTTP/1.1\r\n",
        b"GET /v1/customers/cus_1 HTTP/1.1\r\nAuthorization: \xff\xff\r\n",
        b"GET /v1/customers/cus_1 HTTP/1.1\r\nAuthorization: Basic \x80=\r\n",
        b"GET /v1/customers/cus_1 HTTP/1.1\r\nStripe-Account: \xff\r\n",
    ):
        with socket.create_connection(("127.0.0.1", web.port), timeout=5) as wire:
            wire.sendall(head + b"Host: x\r\nConnection: close\r\n\r\n")
            status = wire.makefile("rb").readline().split()[1]
        assert status in (b"400", b"401", b"404"), head
