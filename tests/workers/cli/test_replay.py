"""`onfile replay` and `onfile rebuild` as people and programs use them."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner

from service.documents import decode_customer, encode_document
from service.log import replay_queue
from tests.workers.notation import added, created, event
from tests.workers.operators.bench import Bench, bench_at_work
from tests.workers.stored import stored_values
from workers import replaying
from workers.cli.rebuild import command as rebuild_command
from workers.cli.replay import command as replay_command

if TYPE_CHECKING:
    from tests.conftest import Store

    Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(onfile: "Run", store: "Store") -> "Run":
    def asked(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return onfile(*words, environ={"REDIS_URL": store.url}, **more)

    return asked


@pytest.fixture
def bench(store: "Store", monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_at_work(store.url, monkeypatch) as made:
        yield made


@contextmanager
def working(bench: Bench) -> Iterator[None]:
    """Have somebody apply what is pending and what is queued."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.02):
            bench.drain()
            replaying.replay(bench.log, bench.projection)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


@pytest.fixture
def lost(bench: Bench) -> Bench:
    """All was applied, and all answers are lost."""
    bench.accept(event("customer.created", {"id": "cus_1", "object": "customer"}, 1), added("A", 1))
    bench.drain()
    bench.log.delete(*stored_values(bench.log))
    return bench


def test_a_replay_is_rehearsed_then_done(run: "Run", lost: Bench) -> None:
    rehearsed = run("replay", "--all", "--dry-run")
    assert (rehearsed.returncode, rehearsed.stderr) == (3, "")
    assert "customer cus_1 (test mode)" in rehearsed.stdout
    assert '    default: null → "card_A"' in rehearsed.stdout
    assert "2 answers would change. Nothing was written." in rehearsed.stdout
    assert stored_values(lost.log) == {}
    with working(lost):
        said = run("replay", "--type", "customer.*")
        nothing = run("replay", "--customer", "cus_typo")
        unknown = run("replay", *lost.event_ids(), "evt_unknown", "--json")
    assert said.stdout == "2 events replayed: 2 changed what is stored.\n"
    assert (nothing.returncode, "no such event in the log" in nothing.stdout) == (0, True)
    assert unknown.returncode == 1
    told = json.loads(unknown.stdout)
    assert (told["replayed"], told["unknown"]) == (2, ["evt_unknown"])
    assert told["outcomes"] == {"applied": 0, "unchanged": 2, "ignored": 0, "failed": 0}
    rehearsed = run("replay", "--all", "--dry-run", "--json")
    assert rehearsed.returncode == 0
    assert json.loads(rehearsed.stdout)["differences"] == []
    assert json.loads(rehearsed.stdout)["left_alone"] == {}


def test_a_rehearsal_says_what_would_be_left_alone(run: "Run", lost: Bench) -> None:
    lost.accept(added("B", 2), added("C", 3))
    said = run("replay", "--all", "--dry-run")
    assert "2 events would be replayed" in said.stdout
    assert "Left alone: 2 pending.\n" in said.stdout
    told = json.loads(run("replay", "--all", "--dry-run", "--json").stdout)
    assert told["left_alone"] == {"pending": 2}


def test_stopped_it_says_what_is_queued_and_how_to_go_on_and_that_can_be_dropped(
    run: "Run", lost: Bench, tmp_path: Path
) -> None:
    with (tmp_path / "said").open("w+") as said:
        command = subprocess.Popen(
            [sys.executable, "-m", "workers.cli.main", "replay", "--all"], stderr=said
        )
        while not replay_queue.waiting(lost.log):
            assert command.poll() is None
        command.send_signal(signal.SIGINT)
        assert command.wait(20) == 1
        said.seek(0)
        told = said.read()
    assert "No worker is alive" in told
    assert "2 events still queued will be applied" in told
    shown = run("status", "--sample", "0").stdout
    assert "2 left" in next(line for line in shown.splitlines() if line.startswith("replaying"))
    dropped = run("replay", "--cancel")
    assert dropped.stdout == "2 events dropped from the replay queue; the log keeps them.\n"
    assert replay_queue.waiting(lost.log) == 0


def test_a_file_of_stripes_is_taken_in_and_what_is_no_event_is_refused(
    run: "Run", bench: Bench
) -> None:
    listed = [created("A", 1), added("A", 1), event("invoice.paid", {"id": "in_1"}, 1), b"{}"]
    file = f'{{"object":"list","data":[{",".join(one.decode() for one in listed)}]}}'
    rehearsed = run("replay", "--from-file", "-", "--dry-run", stdin=file)
    assert rehearsed.returncode == 3
    assert "2 events would be replayed: 2 changed what is stored." in rehearsed.stdout
    assert bench.log.dbsize() == 0
    with working(bench):
        said = run("replay", "--from-file", "-", stdin=file)
        again = run("replay", "--from-file", "-", "--json", stdin=file)
    assert said.returncode == again.returncode == 1
    assert "number 4 in the file is no event: bad_id" in said.stderr
    assert "2 events of the file came into the log" in said.stdout
    assert "Of no interest: invoice.paid (1)." in said.stdout
    assert json.loads(again.stdout)["duplicates"] == 2
    assert len(stored_values(bench.log)) == 2


def test_a_rebuild_is_checked_then_done_and_a_replay_follows(run: "Run", bench: Bench) -> None:
    bench.accept(created("A", 1), added("A", 1))
    bench.drain()
    right = stored_values(bench.log)
    customer = next(key for key in right if key.startswith("onfile:c:"))
    spoilt = right[customer]

    version, answer, facts = decode_customer(spoilt)
    wrong = msgspec.structs.replace(answer, default="card_wrong")
    bench.log.set(customer, encode_document(version, wrong, facts))
    checked = run("rebuild", "--check")
    assert checked.returncode == 3
    assert '    default: "card_wrong" → "card_A"' in checked.stdout
    assert "1 answer would change" in checked.stdout
    with working(bench):
        done = run("rebuild", "--since", "1h", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["changed"], told["replay"]["replayed"]) == (0, 1, 2)
    said = run("rebuild")
    assert said.stdout.splitlines() == [
        "Derived again: 1 source, 1 customer.",
        "0 of them were not what they should be, and are now.",
    ]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--all", "--failed"],
        ["evt_1", "--all"],
        ["--cancel", "--all"],
        ["--cancel", "--dry-run"],
        ["evt_1", "--after", "1-0"],
        ["--all", "--after", "yesterday"],
        ["--cancel", "--after", "1-0"],
        ["--all", "--dry-run", "--rate", "5"],
    ],
)
def test_a_choice_that_is_none_or_two_is_refused(words: list[str]) -> None:
    assert CliRunner().invoke(replay_command, words).exit_code == 2


def test_a_check_replays_nothing() -> None:
    assert CliRunner().invoke(rebuild_command, ["--check", "--since", "1h"]).exit_code == 2
