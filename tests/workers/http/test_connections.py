"""Slow, large and greedy clients against a real `onfile web`: each is cut, nobody else waits."""

import contextlib
import http.client
import json
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.workers.cli.conftest import until

if TYPE_CHECKING:
    from tests.conftest import Store

CONNECTIONS = 256
HEAD_BYTES = 32 * 1024
CROWD = 10_000
MEMORY_KIB = 100 * 1024
"""More than a crowd of any kind may add to the process: bodies are held up to 64 MiB in all."""

WEBHOOK = b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\n"
ALIVE = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


class Web(NamedTuple):
    """A real `onfile web`."""

    pid: int
    port: int
    log: Path

    def connect(self, sent: bytes = b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        with contextlib.suppress(ConnectionError):
            client.sendall(sent)
        return client

    def hear(self, sent: bytes) -> bytes:
        """Return all that is answered before the connection ends."""
        with self.connect(sent) as client:
            return heard(client)

    def status(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/healthz")
            return connection.getresponse().status

    def gave_way(self) -> int:
        """How many connections were closed for others."""
        lines = map(json.loads, self.log.read_text().splitlines())
        return sum(line["gave_way"] for line in lines if line["event"] == "connections.closed")

    def memory_kib(self) -> int:
        status = Path(f"/proc/{self.pid}/status")
        if not status.exists():
            pytest.skip("only Linux tells the memory of another process")
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1])


def heard(client: socket.socket) -> bytes:
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(65536):
            found += piece
    return found


def is_cut(client: socket.socket, piece: bytes) -> bool:
    """Send until the other side has had enough."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while True:
            client.sendall(piece)
    return True


def refusal(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    return int(head.split()[1]), json.loads(body)["error"]["code"]


@pytest.fixture(scope="module")
def start(
    session_store: "Store", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Web]]:
    with contextlib.ExitStack() as started:

        def one(**settings: str) -> Web:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            log_file = tmp_path_factory.mktemp("web") / "log"
            web = started.enter_context(serving(session_store.url, port, log_file, settings))
            until(lambda: b'"web.ready"' in log_file.read_bytes())
            return web

        yield one


@contextlib.contextmanager
def serving(store: str, port: int, log_file: Path, settings: dict[str, str]) -> Iterator[Web]:
    environ = {
        "REDIS_URL": store,
        "STRIPE_WEBHOOK_SECRET": "whsec_web",
        "ONFILE_API_KEYS": "sk_test_web",
        "PORT": str(port),
        **settings,
    }
    with (
        log_file.open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-P", "-m", "workers.cli.main", "web"],
            env=environ,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        yield Web(process.pid, port, log_file)
        process.terminate()
        assert process.wait(20) == 0
    assert "Traceback" not in log_file.read_text()


@pytest.fixture(scope="module")
def web(start: Callable[..., Web]) -> Web:
    """A web process that loses its patience soon."""
    return start(ONFILE_CLIENT_TIMEOUT_SECONDS="0.2", ONFILE_KEEP_ALIVE_SECONDS="1")


@pytest.fixture(scope="module")
def small_web(start: Callable[..., Web]) -> Web:
    """A web process with little room, and all the time in the world."""
    return start(
        ONFILE_CLIENT_TIMEOUT_SECONDS="60",
        ONFILE_KEEP_ALIVE_SECONDS="60",
        ONFILE_CONNECTION_LIMIT=str(CONNECTIONS),
    )


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /healthz HT",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: ",
        WEBHOOK + b"Content-Length: 1000\r\n\r\n{",
        WEBHOOK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
    ],
    ids=["url", "header", "body", "chunk"],
)
def test_a_request_that_never_comes_whole_is_refused_when_its_time_is_over(
    web: Web, begun: bytes
) -> None:
    assert refusal(web.hear(begun)) == (408, "request_timeout")


def test_dripping_bytes_buy_no_time(web: Web) -> None:
    with web.connect(b"GET /healthz HTTP/1.1\r\n") as client:
        client.settimeout(0.05)
        answer = b""
        while not answer:
            client.sendall(b"a: b\r\n")
            with contextlib.suppress(TimeoutError):
                answer = client.recv(65536)
    assert refusal(answer) == (408, "request_timeout")


def test_a_connection_that_never_says_anything_is_closed(web: Web) -> None:
    assert web.hear(b"") == b""


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * HEAD_BYTES + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nCookie: " + b"x" * HEAD_BYTES + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * (HEAD_BYTES // 6 + 1) + b"\r\n",
    ],
    ids=["url", "header", "headers"],
)
def test_a_head_beyond_the_limit_is_refused(web: Web, head: bytes) -> None:
    assert refusal(web.hear(head)) == (431, "request_header_fields_too_large")


def test_the_largest_signature_header_fits(web: Web) -> None:
    head = WEBHOOK + b"Stripe-Signature: t=1" + b",v1=x" * 3200 + b"\r\nConnection: close\r\n"
    answer = web.hear(head + b"Content-Length: 2\r\n\r\n{}")
    assert b"no_valid_signature" in answer


@pytest.mark.parametrize(
    "piece", [b"a: b\r\n" * 1000, b"x" * 65536], ids=["many headers", "one header"]
)
def test_a_head_without_end_is_cut(web: Web, piece: bytes) -> None:
    with web.connect(b"GET / HTTP/1.1\r\nCookie: x") as client:
        assert is_cut(client, piece)


@pytest.mark.parametrize("line", [WEBHOOK, b"GET /healthz HTTP/1.1\r\n"], ids=["read", "unread"])
def test_a_body_without_end_is_cut(web: Web, line: bytes) -> None:
    before = web.memory_kib()
    with web.connect(line + b"Transfer-Encoding: chunked\r\n\r\n") as client:
        assert is_cut(client, CHUNK)
    assert web.memory_kib() - before < MEMORY_KIB


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00", b"GET /\xff HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
)
def test_what_is_no_request_is_refused_in_json(web: Web, garbage: bytes) -> None:
    assert refusal(web.hear(garbage)) == (400, "bad_request")


def test_requests_sent_ahead_are_all_answered_in_order(web: Web) -> None:
    last = b"GET /v1/customers/cus_1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answers = web.hear(ALIVE * 20 + last).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200"] * 20 + [b"401"]


def test_of_too_many_sent_ahead_the_first_are_answered_and_the_last_answer_says_it_is_the_last(
    web: Web,
) -> None:
    *answers, last = web.hear(ALIVE * 1000).split(b"HTTP/1.1 ")[1:]
    assert {answer[:3] for answer in (*answers, last)} == {b"200"}
    assert 20 < len(answers) < 50
    assert b"connection: close" in last
    assert not any(b"connection: close" in answer for answer in answers)


def test_who_takes_no_answers_is_cut(web: Web) -> None:
    before = web.memory_kib()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", web.port))
        client.settimeout(20)
        assert is_cut(client, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
    assert web.memory_kib() - before < MEMORY_KIB


def test_an_upgrade_is_answered_without_one(web: Web) -> None:
    offer = ALIVE[:-2] + b"Upgrade: websocket\r\nConnection: Upgrade%b\r\n\r\n"
    assert web.hear(offer % b"" + offer % b", close").count(b"HTTP/1.1 200 ") == 2


@pytest.fixture
def crowd_size() -> Iterator[Callable[[int], int]]:
    """How many connections the system lets this test hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield lambda wanted: min(wanted, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("sent", "size"),
    [
        (b"", CROWD),
        (b"GET /healthz HTTP/1.1\r\nCookie: ", 2 * CONNECTIONS),
        (WEBHOOK + b"Content-Length: 900000\r\n\r\n" + b"x" * 800_000, CONNECTIONS // 2),
        (ALIVE, 2 * CONNECTIONS),
    ],
    ids=["idle", "slow heads", "slow bodies", "kept alive"],
)
def test_a_crowd_keeps_nobody_out_and_fills_no_memory(
    small_web: Web, crowd_size: Callable[[int], int], sent: bytes, size: int
) -> None:
    memory, gave_way = small_web.memory_kib(), small_web.gave_way()
    with contextlib.ExitStack() as crowd:
        for number in range(crowd_size(size)):
            crowd.enter_context(small_web.connect(sent))
            if number % 50 == 0:
                assert small_web.status() == 200
        assert small_web.memory_kib() - memory < MEMORY_KIB
        until(lambda: small_web.gave_way() > gave_way)


def test_who_waits_for_an_answer_is_not_sent_away_for_a_newcomer(small_web: Web) -> None:
    ask = (
        b"GET /v1/customers/cus_1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_test_web\r\n"
        b"Onfile-After: evt_never\r\nPrefer: wait=1\r\nConnection: close\r\n\r\n"
    )
    with small_web.connect(ask) as waiting, contextlib.ExitStack() as crowd:
        for _ in range(2 * CONNECTIONS):
            crowd.enter_context(small_web.connect())
        assert b"projection_behind" in heard(waiting)
