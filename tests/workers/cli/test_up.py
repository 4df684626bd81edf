"""`onfile up` as a whole: ready, kept, refused, stopped."""

import os
import signal
import socket
import stat
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from workers.cli.parent import KERNEL_TELLS

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.workers.cli.conftest import Up

EXAMPLE = Path(__file__).parents[2] / "data" / "examples" / "customer_with_card.jsonl"
SOURCES = "/v1/customers/cus_example/sources"

Onfile = Callable[..., subprocess.CompletedProcess[str]]


def serves_the_example(up: "Up") -> bool:
    status, answer = up.get(SOURCES)
    return status == 200 and bool(answer["data"])


def test_ready_means_that_an_event_sent_now_is_applied(running: "Up", onfile: Onfile) -> None:
    sent = onfile("send", EXAMPLE, "--data-dir", running.data_dir)
    assert sent.returncode == 0, sent.stderr
    running.until(lambda: serves_the_example(running))


def test_it_says_what_runs_where_then_ready_in_a_line_of_its_own(running: "Up") -> None:
    said = running.said.splitlines()
    assert f"ready http://127.0.0.1:{running.env['PORT']}" == said[-1]
    for told in (
        f"webhooks  {running.address}/webhooks/stripe",
        f"store     {running.env['REDIS_URL']} (its own, in {running.data_dir}/store)",
        f"STRIPE_WEBHOOK_SECRET  {running.env['STRIPE_WEBHOOK_SECRET']}",
        f"ONFILE_API_KEYS        {running.env['ONFILE_API_KEYS']}",
        f"ONFILE_OPS_KEY         {running.env['ONFILE_OPS_KEY']}",
        f"curl -u {running.env['ONFILE_API_KEYS']}: {running.address}/v1/customers/cus_example",
    ):
        assert told in running.said


def test_what_it_made_is_kept_for_this_user_only_and_out_of_git(running: "Up") -> None:
    assert stat.S_IMODE((running.data_dir / "env").stat().st_mode) == 0o600
    assert stat.S_IMODE(running.data_dir.stat().st_mode) == 0o700
    assert (running.data_dir / ".gitignore").read_text() == "*\n"
    assert running.env["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")
    assert "_test_" in running.env["ONFILE_API_KEYS"]


def test_its_store_keeps_on_disk_what_it_acknowledges(running: "Up") -> None:
    with urllib.request.urlopen(f"{running.address}/readyz", timeout=10) as answer:  # noqa: S310
        told = answer.read()
    for kept in (b'"appendonly":"yes"', b'"appendfsync":"always"', b'"maxmemory_policy":"noev'):
        assert kept in told


def test_a_second_one_in_the_same_folder_is_refused(running: "Up", onfile: Onfile) -> None:
    second = onfile("up", "--port", "0", "--data-dir", running.data_dir)
    assert second.returncode == 1
    assert f"onfile up is process {running.process.pid}" in second.stderr
    assert "--data-dir" in second.stderr
    assert "Traceback" not in second.stderr
    assert running.process.poll() is None


def test_a_taken_port_for_the_stand_in_is_said_before_anything_starts(
    onfile: Onfile, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = ("--sandbox", "--sandbox-port", port, "--port", 0, "--data-dir", tmp_path / "own")
        said = onfile("up", *options)
    assert said.returncode == 1
    assert f"onfile up --sandbox-port {port + 1}" in said.stderr


def test_a_taken_port_is_a_sentence(running: "Up", onfile: Onfile, tmp_path: Path) -> None:
    port = int(running.env["PORT"])
    second = onfile("up", "--port", port, "--data-dir", tmp_path)
    assert second.returncode == 1
    assert f"Port {port} is taken by another program." in second.stderr
    assert f"onfile up --port {port + 1}" in second.stderr


def test_a_folder_that_cannot_be_is_a_sentence(onfile: Onfile, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = onfile("up", "--data-dir", tmp_path / "file" / "data")
    assert refused.returncode == 1
    assert "Choose another folder" in refused.stderr


def test_wrong_settings_are_sentences(onfile: Onfile, tmp_path: Path) -> None:
    environ = {"ONFILE_LOG_LEVEL": "loud", "STRIPE_WEBHOOK_SECRET": "oops"}
    refused = onfile("up", "--port", 0, "--data-dir", tmp_path / "data", environ=environ)
    assert refused.returncode == 2
    assert [line.split()[1] for line in refused.stderr.splitlines()[1:]] == [
        "STRIPE_WEBHOOK_SECRET",
        "ONFILE_LOG_LEVEL",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_all_of_it(start_up: Callable[..., "Up"], number: signal.Signals) -> None:
    up = start_up("--workers", "2").wait_ready()
    up.until(lambda: up.log.count('"worker.ready"') == 2)
    assert len(up.alive) == 5
    assert up.stop(number) == 0
    assert not up.alive
    assert up.said.splitlines()[-1] == "stopped"
    told = [event["event"] for event in up.events]
    assert told.count("worker.stopped") == 2
    assert told.index("web.stopped") < told.index("worker.stopped")


def test_a_signal_before_it_is_ready_stops_all_of_it(start_up: Callable[..., "Up"]) -> None:
    up = start_up()
    up.until(lambda: "store" in up.pids)
    assert up.stop() == 0
    assert not up.alive
    assert "ready http" not in up.said


@pytest.mark.skipif(not KERNEL_TELLS, reason="only Linux tells a child that its parent has died")
def test_killed_it_leaves_nothing_behind_and_starts_again(start_up: Callable[..., "Up"]) -> None:
    up = start_up().wait_ready()
    assert up.stop(signal.SIGKILL) == -signal.SIGKILL
    up.until(lambda: not up.alive)
    start_up().wait_ready()


@pytest.mark.parametrize("name", ["web", "worker-1", "store"])
def test_what_dies_is_started_again(
    start_up: Callable[..., "Up"], onfile: Onfile, name: str
) -> None:
    up = start_up().wait_ready()
    first = up.pids[name][-1]
    os.kill(first, signal.SIGKILL)
    up.until(lambda: up.pids[name][-1] != first)
    [ended] = [event for event in up.events if event["event"] == "process.ended"]
    assert (ended["process"], ended["pid"], ended["how"]) == (name, first, "killed by SIGKILL")
    up.until(lambda: onfile("send", EXAMPLE, "--data-dir", up.data_dir).returncode == 0)
    up.until(lambda: serves_the_example(up))
    assert up.stop() == 0
    assert not up.alive


def test_secrets_and_data_are_there_the_next_time(
    start_up: Callable[..., "Up"], onfile: Onfile
) -> None:
    up = start_up().wait_ready()
    before = up.env
    assert onfile("send", EXAMPLE, "--data-dir", up.data_dir).returncode == 0
    up.until(lambda: serves_the_example(up))
    assert up.stop() == 0
    up = start_up().wait_ready()
    assert {**up.env, "PORT": ""} == {**before, "PORT": ""}
    assert serves_the_example(up)


def test_a_store_that_cannot_start_tells_why(start_up: Callable[..., "Up"]) -> None:
    up = start_up().wait_ready()
    assert up.stop() == 0
    [manifest] = up.data_dir.glob("store/appendonlydir/*.manifest")
    manifest.write_text("nonsense\n")
    up = start_up()
    assert up.process.wait(30) == 1
    assert "The store ends as soon as it is started" in up.log
    assert "manifest" in up.log
    assert not up.alive


def test_a_process_that_cannot_start_ends_it_all(
    start_up: Callable[..., "Up"], tmp_path: Path
) -> None:
    (tmp_path / "uvicorn.py").write_text("raise ImportError('this one is broken')\n")
    up = start_up(PYTHONPATH=str(tmp_path))
    assert up.process.wait(30) == 1
    assert "this one is broken" in up.log
    assert "The web process ends as soon as it is started." in up.log
    assert not up.alive


def test_what_keeps_it_from_being_ready_is_told(start_up: Callable[..., "Up"]) -> None:
    up = start_up()
    up.until(lambda: "web" in up.pids)
    os.kill(up.pids["web"][0], signal.SIGSTOP)
    up.until(lambda: "up.waiting" in up.log)
    [waiting, *_] = [event for event in up.events if event["event"] == "up.waiting"]
    assert waiting["reason"] == "the web does not answer yet: timed out"
    assert "ready http" not in up.said
    os.kill(up.pids["web"][0], signal.SIGCONT)
    up.wait_ready()


def test_with_a_store_of_its_own_in_the_environment_it_starts_none(
    start_up: Callable[..., "Up"], store: "Store"
) -> None:
    secrets = {"STRIPE_WEBHOOK_SECRET": "whsec_given", "ONFILE_OPS_KEY": "ops_given_by_a_person"}
    up = start_up(REDIS_URL=store.url, **secrets).wait_ready()
    assert list(up.pids) == ["web", "worker-1"]
    assert up.env.keys() == {"ONFILE_API_KEYS", "PORT"}
    assert not any(secret in up.said for secret in secrets.values())
    assert up.stop() == 0


@pytest.mark.parametrize("name", ["REDIS_URL", "ONFILE_PROJECTION_URL"])
def test_a_store_that_does_not_answer_is_a_sentence(
    onfile: Onfile, tmp_path: Path, name: str
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"redis://:hunter2@127.0.0.1:{nobody.getsockname()[1]}/0"
        refused = onfile("up", "--port", 0, "--data-dir", tmp_path, environ={name: url})
    assert refused.returncode == 1
    assert f"({name}) cannot be used" in refused.stderr
    assert "hunter2" not in refused.stderr + refused.stdout


def test_its_log_holds_no_secret(start_up: Callable[..., "Up"], onfile: Onfile) -> None:
    up = start_up(ONFILE_LOG_LEVEL="debug").wait_ready()
    wrong = "whsec_this_one_is_wrong"
    assert onfile("send", EXAMPLE, "--data-dir", up.data_dir).returncode == 0
    assert onfile("send", EXAMPLE, "--data-dir", up.data_dir, "--secret", wrong).returncode == 1
    up.until(lambda: serves_the_example(up))
    os.kill(up.pids["store"][-1], signal.SIGKILL)
    os.kill(up.pids["worker-1"][-1], signal.SIGKILL)
    up.get(SOURCES)
    up.until(lambda: serves_the_example(up))
    assert up.stop() == 0
    names = ("STRIPE_WEBHOOK_SECRET", "ONFILE_API_KEYS", "ONFILE_OPS_KEY")
    for secret in (wrong, *(up.env[name] for name in names), "@example", "An example"):
        assert secret not in up.log
