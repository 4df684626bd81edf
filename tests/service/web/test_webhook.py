"""The webhook: only what is kept earns a 200, and nothing that can be sent earns a 500."""

import ast
import asyncio
import http.client
import inspect
import json
import re
import socket
import time
from collections.abc import Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from service import event as event_module
from service import signature as signature_module
from service.keys import IGNORED, LOG
from service.log.event_log import find
from service.log.intake import Intake
from service.settings import Settings
from service.signature import sign
from service.stores import connect_async
from service.web import webhook
from service.web.webhook import Webhook

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tests.conftest import Store
    from tests.service.conftest import EventBody
    from tests.service.web.conftest import Web

SECRET = "whsec_for_tests"
MIB_BYTES = 1024 * 1024


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The reason it was refused for."""
        return str(json.loads(self.body)["error"]["code"])


def deliver(port: int, body: bytes, **headers: str) -> Reply:
    """Deliver over HTTP as Stripe does; a header given empty is left out."""
    signed = {"stripe_signature": sign(body, SECRET, now=time.time())}
    sent = {name.replace("_", "-"): value for name, value in (signed | headers).items() if value}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/webhooks/stripe", body, sent)
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.headers), answer.read())
    finally:
        connection.close()


def send_raw(port: int, request: bytes) -> bytes:
    """Send bytes that no HTTP client would, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


# --- what earns a 200 ---------------------------------------------------------------------------


def test_a_signed_event_is_received_and_in_the_log(web: "Web", event_body: "EventBody") -> None:
    reply = deliver(web.port, event_body("evt_1"))
    assert (reply.status, reply.body) == (200, b'{"received":true}')
    assert reply.headers["content-type"] == "application/json"
    with web.store.client() as client:
        assert [entry.body for entry in find(client, "evt_1")] == [event_body("evt_1")]


def test_a_redelivery_is_received_and_not_kept_twice(web: "Web", event_body: "EventBody") -> None:
    assert [deliver(web.port, event_body()).status for _ in range(3)] == [200] * 3
    with web.store.client() as client:
        assert client.xlen(LOG) == 1


def test_a_type_that_is_not_projected_is_received_counted_and_not_kept(
    web: "Web", event_body: "EventBody"
) -> None:
    thin = b'{"id":"evt_2","object":"v2.core.event","type":"v2.core.account.created"}'
    for body in (event_body("evt_1", type="charge.succeeded"), thin):
        assert deliver(web.port, body).status == 200
    with web.store.client() as client:
        give_up = time.monotonic() + 3
        while client.hlen(IGNORED) < 2:
            assert time.monotonic() < give_up
            time.sleep(0.01)
        counts = {b"charge.succeeded": b"1", b"v2.core.account.created": b"1"}
        assert client.hgetall(IGNORED) == counts
        assert client.xlen(LOG) == 0


def test_an_event_whose_object_is_none_is_kept_for_the_handlers_to_judge(
    web: "Web", event_body: "EventBody"
) -> None:
    for n, data in enumerate(({"object": None}, {"object": [1]}, {}, {"object": {"no": "id"}})):
        assert deliver(web.port, event_body(f"evt_{n}", data=data)).status == 200
    with web.store.client() as client:
        assert client.xlen(LOG) == 4


def test_a_body_in_many_pieces_is_one_body(web: "Web", event_body: "EventBody") -> None:
    body = event_body("evt_1")
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    pieces: Iterable[bytes] = (body[n : n + 7] for n in range(0, len(body), 7))
    headers = {"Stripe-Signature": sign(body, SECRET, now=time.time())}
    connection.request("POST", "/webhooks/stripe", pieces, headers, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()


def test_two_signature_headers_are_read_as_one(web: "Web", event_body: "EventBody") -> None:
    body = event_body("evt_1")
    now = time.time()
    wrong, right = sign(body, "whsec_other", now=now), sign(body, SECRET, now=now)
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    connection.putrequest("POST", "/webhooks/stripe")
    for name, value in (("Stripe-Signature", wrong), ("Stripe-Signature", right)):
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    assert connection.getresponse().status == 200
    connection.close()


# --- what does not ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "missing_header"),
        ("hello", "malformed_header"),
        ("t=1", "no_expected_scheme"),
        ("t=1,v1=" + "0" * 64, "no_valid_signature"),
        ("t=1,v0=" + "0" * 64, "no_expected_scheme"),
        ("t=" + "9" * 5_000 + ",v1=" + "0" * 64, "malformed_header"),
        ("t=1,v1=" + "é" * 64, "no_valid_signature"),
        (",".join(["t=1"] * 2_000), "no_expected_scheme"),
        (",".join(["v1=" + "0" * 64] * 800), "malformed_header"),
    ],
)
def test_without_a_valid_signature_nothing_is_kept(
    web: "Web", event_body: "EventBody", header: str, code: str
) -> None:
    reply = deliver(web.port, event_body(), stripe_signature=header)
    assert (reply.status, reply.code) == (400, code)
    with web.store.client() as client:
        assert client.keys() == []


@pytest.mark.parametrize("offset", [-400, 400, 10**9])
def test_an_old_signature_and_one_of_the_future_are_refused(
    web: "Web", event_body: "EventBody", offset: int
) -> None:
    header = sign(event_body(), SECRET, now=time.time() + offset)
    reply = deliver(web.port, event_body(), stripe_signature=header)
    assert (reply.status, reply.code) == (400, "timestamp_outside_tolerance")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"id":"evt_1","type":"a","data":{},"x":"\xff"}', "not_utf8"),
        (b"[]", "not_an_object"),
        (b'{"type":"customer.created","data":{}}', "bad_id"),
        (b'{"id":7,"type":"customer.created","data":{}}', "bad_id"),
        (b'{"id":"evt_1","data":{}}', "bad_type"),
        (b'{"id":"src_1","object":"source","type":"card"}', "not_an_event"),
        (b'{"id":"evt_1","type":"customer.created","account":"}","data":{}}', "bad_account"),
        (b'{"id":"evt_1","type":"a","created":1e999,"data":{}}', "bad_field"),
        (b'{"id":"evt_1","x":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "too_deep"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_signed_body_that_is_no_event_is_refused_with_its_reason(
    web: "Web", body: bytes, code: str
) -> None:
    reply = deliver(web.port, body)
    assert (reply.status, reply.code) == (400, code)
    error = json.loads(reply.body)["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].endswith(".")


def test_a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not(
    web: "Web", event_body: "EventBody"
) -> None:
    padding = "x" * (MIB_BYTES - len(event_body(pad="")))
    assert deliver(web.port, event_body(pad=padding)).status == 200
    too_large = deliver(web.port, event_body(pad=padding + "x"))
    assert (too_large.status, too_large.code) == (413, "too_large")


@pytest.mark.parametrize(("announced", "sent"), [(2, 2), (7, 7), (40, 0)])
def test_a_body_that_is_far_too_large_is_413(web: "Web", announced: int, sent: int) -> None:
    length = announced * MIB_BYTES
    head = f"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as connection:
        connection.sendall(head + b"x" * sent * MIB_BYTES)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("length", "sent"),
    [("-1", b"{}"), ("abc", b"{}"), ("2", b"{}xxxx"), ("9" * 5_000, b"{}"), ("100", b"{}")],
)
def test_a_wrong_content_length_is_never_a_500(web: "Web", length: str, sent: bytes) -> None:
    head = f"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
    answer = send_raw(web.port, head.encode() + sent)
    assert not answer.startswith(b"HTTP/1.1 5")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_another_method_is_405(web: "Web", method: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    connection.request(method, "/webhooks/stripe")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    connection.close()


def test_a_store_away_is_503_within_2_seconds_and_all_is_well_when_it_returns(
    own_store: "Store",
    event_body: "EventBody",
    serving: "Callable[[Store], AbstractContextManager[Web]]",
) -> None:
    with serving(own_store) as web:
        assert deliver(web.port, event_body("evt_1")).status == 200
        own_store.kill()
        began = time.monotonic()
        reply = deliver(web.port, event_body("evt_2"))
        assert time.monotonic() - began < 2
        assert (reply.status, reply.code) == (503, "store_unavailable")
        assert 1 <= int(reply.headers["retry-after"]) <= 5
        own_store.start()
        assert deliver(web.port, event_body("evt_2")).status == 200


# --- what it says in the log --------------------------------------------------------------------


class Logged:
    """A webhook called without a server, and the lines it logs."""

    def __init__(self, url: str, lines: list[Any], *secrets: str) -> None:
        self.settings = Settings(redis_url=url, webhook_secrets=secrets or (SECRET,))
        self.lines = lines

    def take(
        self, messages: list[dict[str, Any]], headers: list[tuple[bytes, bytes]]
    ) -> list[dict[str, Any]]:
        """Give it these messages, and return those it sent."""

        async def run() -> list[dict[str, Any]]:
            sent: list[dict[str, Any]] = []
            rest = iter(messages)

            async def receive() -> dict[str, Any]:
                return next(rest)

            async def send(message: MutableMapping[str, Any]) -> None:
                sent.append(dict(message))

            async with connect_async(self.settings.redis_url) as client:
                intake = Intake(client)
                await Webhook(self.settings, intake)({"headers": headers}, receive, send)
                await intake.close()
            return sent

        return asyncio.run(run())

    def deliver(self, body: bytes, secret: str = SECRET) -> dict[str, Any]:
        """Deliver a body in one piece, and return the line about it."""
        signed = sign(body, secret, now=time.time()).encode()
        self.take([{"type": "http.request", "body": body}], [(b"stripe-signature", signed)])
        return dict(self.lines[-1])


@pytest.fixture(name="logged")
def a_webhook_that_is_listened_to(
    store: "Store", monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Logged]:
    capture = structlog.testing.LogCapture()
    monkeypatch.setattr(webhook, "log", structlog.wrap_logger(None, processors=[capture]))
    return lambda *secrets: Logged(store.url, capture.entries, *secrets)


def test_each_delivery_is_one_line_with_its_outcome(
    logged: Callable[..., Logged], event_body: "EventBody"
) -> None:
    desk = logged()
    shared = {"event_id": "evt_1", "type": "customer.created", "status": 200}
    for body, expected in (
        (event_body(), {"event": "delivery.accepted", "outcome": "accepted", **shared}),
        (event_body(), {"event": "delivery.duplicate", "outcome": "duplicate", **shared}),
        (
            event_body(type="charge.succeeded"),
            {
                "event": "delivery.ignored",
                "outcome": "ignored",
                **shared,
                "type": "charge.succeeded",
            },
        ),
        (
            b"{}",
            {
                "event": "delivery.refused",
                "outcome": "refused",
                "reason": "bad_id",
                "status": 400,
            },
        ),
    ):
        line = desk.deliver(body)
        assert 0 < line.pop("duration_ms") < 10_000
        assert line == {"log_level": "info", **expected}
    assert len(desk.lines) == 4


def test_with_several_secrets_the_line_says_which_one_is_in_use(
    logged: Callable[..., Logged], event_body: "EventBody"
) -> None:
    desk = logged("whsec_old", "whsec_new")
    assert desk.deliver(event_body("evt_1"), "whsec_new")["secret_number"] == 2
    assert desk.deliver(event_body("evt_2"), "whsec_old")["secret_number"] == 1


def test_no_line_holds_anything_of_the_body_or_a_secret(
    logged: Callable[..., Logged], event_body: "EventBody"
) -> None:
    desk = logged()
    person = {"id": "cus_1", "object": "customer", "name": "Jenny Rosen", "email": "j@example.com"}
    desk.deliver(event_body(data={"object": person}))
    desk.deliver(event_body(data={"object": person})[:-1])
    desk.deliver(event_body(data={"object": person}), "whsec_wrong")
    assert not re.search("Jenny|example|cus_1|whsec", repr(desk.lines))


def test_a_sender_that_leaves_in_the_middle_gets_no_answer_and_one_quiet_line(
    logged: Callable[..., Logged],
) -> None:
    desk = logged()
    part = {"type": "http.request", "body": b"{", "more_body": True}
    assert desk.take([part, {"type": "http.disconnect"}], []) == []
    [line] = desk.lines
    assert (line["event"], line["reason"], line["status"]) == (
        "delivery.refused",
        "disconnected",
        0,
    )


@given(header=st.binary(max_size=200), body=st.binary(max_size=200), pieces=st.integers(1, 5))
def test_no_headers_or_bytes_bring_anything_but_an_answer(
    store_url: str, header: bytes, body: bytes, pieces: int
) -> None:
    step = len(body) // pieces + 1
    cut = [body[n : n + step] for n in range(0, len(body), step)] or [b""]
    messages = [
        {"type": "http.request", "body": piece, "more_body": n < len(cut) - 1}
        for n, piece in enumerate(cut)
    ]
    headers = [(b"stripe-signature", header), (b"content-length", header)]
    sent = Logged(store_url, []).take(messages, headers)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] in (400, 413)


@pytest.fixture(scope="session")
def store_url(session_store: "Store") -> str:
    return session_store.url


# --- words --------------------------------------------------------------------------------------


def test_every_reason_for_a_refusal_has_a_sentence_and_no_sentence_is_left_over() -> None:
    raised = {
        call.args[0].value
        for module in (event_module, signature_module)
        for call in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("NotAnEventError", "SignatureError")
        and isinstance(call.args[0], ast.Constant)
    }
    returned = {"not_an_object", "not_json", "bad_id", "bad_type", "bad_field"}
    assert raised | returned | {"too_large", "store_unavailable"} == set(webhook.MESSAGES)
