"""`onfile status` as people and programs read it; and the workers of a bad release, for real."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.workers.notation import created
from tests.workers.operators.bench import Bench

if TYPE_CHECKING:
    from tests.conftest import Store

    Onfile = Callable[..., subprocess.CompletedProcess[str]]

BAD_RELEASE = """
import sys
from pathlib import Path
from workers import draining, halting, rounds
from workers.cli.main import main

bad, sound = Path(sys.argv.pop(1)), rounds.facts_of
halting.PAUSES_SECONDS = (0.5,)
draining.STUCK_MILLISECONDS = 200

def facts_of(event):
    if bad.exists():
        raise RuntimeError("bad release")
    return sound(event)

rounds.facts_of = facts_of
main(prog_name="onfile")
"""
PATIENCE_SECONDS = 30


@pytest.fixture
def ask(onfile: "Onfile", store: "Store") -> Callable[..., Any]:
    """Ask for JSON, whatever the exit status."""

    def asked(*words: str) -> Any:
        return json.loads(onfile(*words, "--json", environ={"REDIS_URL": store.url}).stdout)

    return asked


def until(condition: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_the_numbers_have_the_names_that_were_promised(
    ask: Callable[..., Any], bench: Bench
) -> None:
    bench.accept(created("A", 1), created("A", 2))
    bench.drain()
    bench.accept(created("A", 3))
    told = ask("status", "--sample", "0")
    assert [told[name] for name in ("accepted", "applied", "pending", "failed")] == [3, 2, 1, 0]
    assert told["oldest_pending_seconds"] >= 0
    assert told["in_per_second"] is None
    assert {"retrying", "discarded", "workers", "stores", "ambiguous", "halted"} <= told.keys()


def test_a_person_reads_it_at_a_glance(onfile: "Onfile", store: "Store", bench: Bench) -> None:
    bench.accept(created("A", 1))
    said = onfile("status", environ={"REDIS_URL": store.url})
    assert said.returncode == 0
    assert "pending" in said.stdout
    assert "the oldest for" in said.stdout
    assert "No worker is alive. Start one: onfile worker" in said.stdout
    assert "0.0/s" in said.stdout
    assert said.stderr == ""


def test_a_store_that_is_away_is_said_in_a_sentence(onfile: "Onfile", free_port: int) -> None:
    url = f"redis://:hidden@127.0.0.1:{free_port}/0"
    for command in (["status"], ["doctor"], ["events", "list"], ["failed", "list"]):
        said = onfile(*command, environ={"REDIS_URL": url})
        assert said.returncode == 1
        assert "does not answer" in said.stderr
        assert "Traceback" not in said.stderr
        assert "hidden" not in said.stderr


def test_a_store_that_asks_for_a_password_says_so(onfile: "Onfile", own_store: "Store") -> None:
    with own_store.client() as client:
        client.config_set("requirepass", "right")
    said = onfile("status", environ={"REDIS_URL": own_store.url})
    assert said.returncode == 1
    assert "asks for a password" in said.stderr
    wrong = own_store.url.replace("redis://", "redis://:wrong@")
    said = onfile("status", environ={"REDIS_URL": wrong})
    assert (said.returncode, "or for another one" in said.stderr) == (1, True)


def test_ctrl_c_ends_it_with_a_word(store: "Store") -> None:
    with store.client() as client:
        before = {one["id"] for one in client.client_list()}
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.cli.main", "status", "--sample", "50"],
        env=os.environ | {"REDIS_URL": store.url},
        stderr=subprocess.PIPE,
        text=True,
        # A shell in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    with store.client() as client:  # it has taken its first sample, and waits for the second
        until(
            lambda: any(
                one["id"] not in before and one["cmd"].startswith("eval")
                for one in client.client_list()
            )
        )
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (1, "Error: Stopped. It can be run again.\n")


def test_a_bad_release_leaves_the_events_pending_and_a_mended_one_goes_on_by_itself(
    ask: Callable[..., Any], onfile: "Onfile", store: "Store", bench: Bench, tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    bad.touch()
    bench.accept(*[created("A", n) for n in range(300)])
    log = tmp_path / "log"
    with log.open("wb") as lines:
        worker = subprocess.Popen(
            [sys.executable, "-c", BAD_RELEASE, str(bad), "worker"],
            env=os.environ | {"REDIS_URL": store.url, "ONFILE_LOG_FORMAT": "json"},
            stdout=lines,
            stderr=lines,
        )
    try:
        until(lambda: ask("status", "--sample", "0")["halted"])
        time.sleep(2)  # some pauses later still
        told = ask("status", "--sample", "0")
        assert (told["pending"], told["failed"], told["retrying"]) == (300, 0, 0)
        assert told["halted"]["reason"] == "RuntimeError"
        assert "HALTED since" in onfile("status", environ={"REDIS_URL": store.url}).stdout
        diagnosis = ask("doctor")
        [finding] = [one for one in diagnosis["findings"] if one["check"] == "halted"]
        assert (diagnosis["ok"], finding["level"]) == (False, "trouble")
        assert '"worker.halted"' in log.read_text()
        bad.unlink()
        until(lambda: ask("status", "--sample", "0")["applied"] == 300)
        assert ask("status", "--sample", "0")["halted"] is None
        assert '"worker.resumed"' in log.read_text()
    finally:
        worker.kill()
        worker.wait()


def test_every_moment_is_written_alike(ask: Callable[..., Any], store: "Store") -> None:
    with store.client() as client:
        noted = {"matched": 1_767_225_600.5, "seen": 1_767_225_600.5, "position": 1}
        client.hset("onfile:secrets", mapping={f"abcd1234 {k}": v for k, v in noted.items()})
    [secret] = ask("status")["webhook_secrets"]
    assert secret["matched"] == "2026-01-01T00:00:00.500Z"
    assert secret["needed"] is None
