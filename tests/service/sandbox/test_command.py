"""`onfile sandbox` as a process: what it tells, what it refuses, how it ends."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import stripe as official

if TYPE_CHECKING:
    from tests.service.sandbox.conftest import Receiver

PROGRAM = [sys.executable, "-c", "from workers.cli.sandbox import command; command()"]


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes to be ended with the test."""
    running: list[subprocess.Popen[str]] = []
    yield running
    for each in running:
        each.kill()
        each.communicate()


def start(started: list["subprocess.Popen[str]"], *options: str) -> tuple[str, str]:
    """Start it on a free port; return its address and everything told until it was ready."""
    process = subprocess.Popen(
        [*PROGRAM, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    started.append(process)
    assert process.stdout
    told = ""
    for line in process.stdout:
        told += line
        if line.startswith("ready "):
            return line.split()[1], told
    raise AssertionError(told)


def refused(*options: str) -> str:
    ran = subprocess.run(
        [*PROGRAM, *options], capture_output=True, text=True, check=False, timeout=20
    )
    assert ran.returncode == 2
    return ran.stderr


def test_it_runs_delivers_and_ends_when_told_to(
    started: list["subprocess.Popen[str]"], receiver: "Receiver"
) -> None:
    address, told = start(
        started, *("--endpoint", receiver.url, "--secret", "whsec_a,whsec_b", "--seed", "5")
    )
    assert f"events to  {receiver.url}\n  signed     whsec_a and whsec_b" in told
    assert "weather    clear" in told
    assert "seed       5" in told
    client = official.StripeClient("sk_test_1", base_addresses={"api": address})
    made = client.v1.customers.create({"name": "Jenny", "source": "tok_visa"})
    status = json.loads(str(client.raw_request("get", "/v1/test_helpers/deliveries", wait=10).body))
    assert (status["open"], len(receiver.received)) == (0, 2)
    started[0].send_signal(signal.SIGTERM)
    out, errors = started[0].communicate(timeout=10)
    assert started[0].returncode == 0
    assert out == "stopped\n"
    assert "sandbox.answered" in errors
    for secret in ("Jenny", "whsec_a", "sk_test_1"):
        assert secret not in errors
    assert made.id not in out


def test_it_makes_a_secret_and_shows_the_weather(
    started: list["subprocess.Popen[str]"],
) -> None:
    _, told = start(
        started,
        *("--endpoint", "http://127.0.0.1:9/a", "--endpoint", "http://127.0.0.1:9/b"),
        *("--shuffle", "2", "--duplicate", "0.1", "--lose", "0.05", "--delay", "0.5", "--quiet"),
    )
    assert len(set(re.findall(r"whsec_[0-9a-f]{32}", told))) == 2
    assert "each event 0.5 s late, shuffled within 2 s, 10% twice, 5% of first tries lost" in told


def test_without_an_endpoint_it_says_so(started: list["subprocess.Popen[str]"]) -> None:
    _, told = start(started)
    assert "events to  nobody" in told


def test_a_taken_port_is_a_sentence(started: list["subprocess.Popen[str]"]) -> None:
    address, _ = start(started)
    port = address.rpartition(":")[2]
    ran = subprocess.run(
        [*PROGRAM, "--port", port], capture_output=True, text=True, check=False, timeout=20
    )
    assert ran.returncode == 1
    assert f"Port {port} is taken by another program. Choose another with --port." in ran.stderr


def test_wrong_options_are_sentences() -> None:
    assert "give one --secret for each --endpoint" in refused("--secret", "whsec_a")
    assert "is no endpoint" in refused("--endpoint", "localhost")
    assert "needs a secret" in refused("--endpoint", "http://x", "--secret", ",")
    assert "--lose" in refused("--lose", "2")
