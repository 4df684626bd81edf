"""`onfile send`: signs as Stripe does, and says what became of each event."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import stripe

from workers.cli.event_files import events_in, named
from workers.cli.send import webhook_address

Onfile = Callable[..., subprocess.CompletedProcess[str]]

SECRET = "whsec_of_this_test"
EVENT = {"id": "evt_1", "object": "event", "type": "customer.created", "data": {"object": {}}}
ODD = b'{ "id":"evt_1",\r\n\t"type" : "customer.created", "n": 1.50e1, "data": {"object": {}} }\n'


class Received(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(HTTPServer):
    """Somebody else's webhook endpoint: it notes what comes and answers as told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Endpoint)
        self.received: list[Received] = []
        self.statuses: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Endpoint(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(Received(self.path, dict(self.headers), body))
        answer = b'{"received":\n true}'
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def send(onfile: Onfile, receiver: Receiver, tmp_path: Path) -> Onfile:
    """Send to the receiver what is written to a file first."""

    def send(content: bytes, *more: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "events"
        file.write_bytes(content)
        return onfile("send", file, "--url", receiver.url, "--secret", SECRET, *more, cwd=tmp_path)

    return send


def test_an_event_is_delivered_in_its_own_bytes_signed_as_stripe_does(
    send: Onfile, receiver: Receiver
) -> None:
    sent = send(ODD)
    assert (sent.returncode, sent.stderr) == (0, "")
    assert sent.stdout == '200 {"received": true}  evt_1 customer.created\n'
    [got] = receiver.received
    assert got.path == "/webhooks/stripe"
    assert got.body == ODD
    assert got.headers["Content-Type"] == "application/json; charset=utf-8"
    stripe.WebhookSignature.verify_header(
        got.body.decode(), got.headers["Stripe-Signature"], SECRET, tolerance=300
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(json.dumps([EVENT, EVENT]), id="list"),
        pytest.param(json.dumps({"object": "list", "data": [EVENT, EVENT]}), id="stripe's list"),
        pytest.param(json.dumps({"events": [EVENT, EVENT]}), id="recording"),
        pytest.param(f"{json.dumps(EVENT)}\n\n{json.dumps(EVENT)}\n", id="one a line"),
    ],
)
def test_several_events_are_delivered_one_by_one_and_counted(
    send: Onfile, receiver: Receiver, content: str
) -> None:
    sent = send(content.encode())
    assert sent.returncode == 0
    assert len(sent.stdout.splitlines()) == 3
    assert sent.stdout.splitlines()[-1] == "2 of 2 events accepted"
    assert [got.body for got in receiver.received] == [json.dumps(EVENT).encode()] * 2


@pytest.mark.parametrize("content", [b"", b"null", b"[1", b"\xff", b'{"a": 1}\n{"b"', b"[" * 5000])
def test_what_is_no_event_is_delivered_as_it_is(
    send: Onfile, receiver: Receiver, content: bytes
) -> None:
    assert send(content).returncode == 0
    assert [got.body for got in receiver.received] == [content]


def test_an_event_with_a_list_inside_is_one_event() -> None:
    content = json.dumps({"id": "evt_1", "data": {"object": []}}).encode()
    assert events_in(content) == [content]
    assert named(content) == "evt_1 (no type)"
    assert named(b"\xff") == "(not an event)"


def test_an_empty_list_is_sent_as_what_it_is() -> None:
    assert events_in(b"[]") == [b"[]"]


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "with --secret"),
        (404, "ends in /webhooks/stripe"),
        (503, "cannot reach its store"),
        (500, "for the reason above"),
    ],
)
def test_a_refusal_says_what_to_do(
    send: Onfile, receiver: Receiver, status: int, advice: str
) -> None:
    receiver.statuses = [200, status]
    sent = send(json.dumps([EVENT, EVENT, EVENT]).encode())
    assert sent.returncode == 1
    assert [line[:3] for line in sent.stdout.splitlines()[:3]] == ["200", str(status), "200"]
    assert sent.stdout.splitlines()[3] == "2 of 3 events accepted"
    assert advice in sent.stderr


def test_where_nobody_answers_it_stops_at_the_first(onfile: Onfile, tmp_path: Path) -> None:
    arguments = ("send", "-", "--url", "http://127.0.0.1:9", "--secret", SECRET)
    sent = onfile(*arguments, stdin=json.dumps([EVENT, EVENT]), cwd=tmp_path)
    assert sent.returncode == 1
    assert "refused" in sent.stdout.splitlines()[0]
    assert sent.stdout.splitlines()[1] == "0 of 2 events accepted"
    assert "Start it with `onfile up`" in sent.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "There is no secret to sign with."),
        (["--secret", "oops"], "does not begin with whsec_"),
        (["--secret", SECRET, "--url", "ftp://host/x"], "is no address to deliver to"),
        (["--secret", SECRET, "--url", "localhost:8000"], "is no address to deliver to"),
    ],
)
def test_what_it_cannot_work_with_is_a_sentence(
    onfile: Onfile, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    sent = onfile("send", "-", *arguments, stdin="{}", cwd=tmp_path)
    assert sent.returncode == 1
    assert sentence in sent.stderr
    assert "Traceback" not in sent.stderr


def test_the_first_of_several_secrets_signs(
    onfile: Onfile, receiver: Receiver, tmp_path: Path
) -> None:
    environ = {"STRIPE_WEBHOOK_SECRET": f"{SECRET}, whsec_old", "PORT": str(receiver.server_port)}
    assert onfile("send", "-", stdin="{}", environ=environ, cwd=tmp_path).returncode == 0
    [got] = receiver.received
    stripe.WebhookSignature.verify_header("{}", got.headers["Stripe-Signature"], SECRET, 300)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://h", "http://h/webhooks/stripe"),
        ("https://h:8/", "https://h:8/webhooks/stripe"),
        ("http://h/elsewhere", "http://h/elsewhere"),
    ],
)
def test_a_bare_host_means_its_webhook_endpoint(url: str, address: str) -> None:
    assert webhook_address(url) == address
