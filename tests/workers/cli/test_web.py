"""`onfile web`: how it ends, and when it refuses to begin."""

import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.workers.cli.conftest import Up

Onfile = Callable[..., subprocess.CompletedProcess[str]]

SECRETS = {"STRIPE_WEBHOOK_SECRET": "whsec_web", "ONFILE_API_KEYS": "sk_test_web"}


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def web(store: "Store", port: int) -> Iterator[subprocess.Popen[bytes]]:
    environ = {**SECRETS, "REDIS_URL": store.url, "PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "workers.cli.main", "web"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        yield process
        process.kill()


def answer(port: int, path: str) -> http.client.HTTPResponse | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
    except ConnectionRefusedError:
        return None
    finally:
        connection.close()
    return response


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_until_a_signal_ends_it_in_peace(
    web: subprocess.Popen[bytes], port: int, number: signal.Signals, running: "Up"
) -> None:
    running.until(lambda: answer(port, "/healthz"))
    alive = answer(port, "/healthz")
    assert alive
    assert alive.status == 200
    assert alive.getheader("Server") is None
    web.send_signal(number)
    assert web.wait(20) == 0
    said, _ = web.communicate()
    assert b'"web.ready"' in said
    assert b"Traceback" not in said


def test_it_follows_the_system_in_how_many_connections_it_holds(
    web: subprocess.Popen[bytes], port: int, running: "Up"
) -> None:
    running.until(lambda: answer(port, "/healthz"))
    limits = Path(f"/proc/{web.pid}/limits")
    if not limits.exists():
        pytest.skip("only Linux tells the limits of another process")
    [files] = [
        line for line in limits.read_text().splitlines() if line.startswith("Max open files")
    ]
    soft, hard = map(int, files.split()[3:5])
    assert soft >= min(8192, hard)


def test_a_taken_port_is_a_sentence(onfile: Onfile, running: "Up") -> None:
    environ = {**SECRETS, "REDIS_URL": running.env["REDIS_URL"], "PORT": running.env["PORT"]}
    refused = onfile("web", environ=environ)
    assert refused.returncode == 1
    assert f"Port {running.env['PORT']} is taken by another program." in refused.stderr


def test_an_address_of_another_machine_is_a_sentence(onfile: Onfile, running: "Up") -> None:
    environ = {**SECRETS, "REDIS_URL": running.env["REDIS_URL"]}
    refused = onfile("web", "--host", "192.0.2.1", "--port", "8000", environ=environ)
    assert refused.returncode == 1
    assert "Nothing can listen on 192.0.2.1, port 8000 (" in refused.stderr
