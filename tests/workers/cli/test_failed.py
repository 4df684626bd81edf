"""`onfile failed` as people and programs use it."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from service.log import event_log
from tests.workers.notation import created, event
from tests.workers.operators.bench import Bench, bench_at_work
from workers import retries

if TYPE_CHECKING:
    from tests.conftest import Store

    Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(onfile: "Run", store: "Store") -> "Run":
    def asked(*words: str) -> subprocess.CompletedProcess[str]:
        return onfile("failed", *words, environ={"REDIS_URL": store.url})

    return asked


@pytest.fixture
def bench(store: "Store", monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Three dead letters of two kinds."""
    with bench_at_work(store.url, monkeypatch) as made:
        made.accept(
            event("customer.source.created", {"object": "card"}, 5, event_id="evt_a"),
            event("customer.source.created", {"object": "card"}, 5, event_id="evt_b"),
            event("customer.source.created", [], 5, event_id="evt_c"),  # type: ignore[arg-type]
            created("A", 1),
        )
        made.drain()
        made.work()
        yield made


def told(result: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(result.stdout)


def left(run: "Run") -> list[str]:
    """Return the ids of the dead letters."""
    return sorted(one["event"] for one in told(run("list", "--json"))["failed"])


def test_the_dead_letters_are_listed_with_their_reasons(run: "Run", bench: Bench) -> None:
    said = run("list")
    assert (said.returncode, said.stderr) == (0, "")
    assert all(name in said.stdout for name in ("evt_a", "evt_b", "evt_c", "object_without_id"))
    listed = told(run("list", "--json", "--limit", "2"))
    assert (len(listed["failed"]), listed["more"]) == (2, True)
    assert "There are more" in run("list", "--limit", "2").stdout
    assert len(told(run("list", "--json", "--reason", "object_without_id"))["failed"]) == 2
    assert run("list", "--reason", "x").stdout == "No dead letters with x.\n"
    bench.log.flushall()
    assert run("list").stdout == "No dead letters.\n"
    assert run("retry", "--all").stdout.startswith("No such dead letter.")


def test_one_is_shown_with_attempts_and_traceback(run: "Run", bench: Bench) -> None:
    said = run("show", "evt_a")
    assert "Traceback" in said.stdout
    assert said.stdout.count("object_without_id") >= 3
    [story] = told(run("show", "evt_a", "--json"))["failed"]
    assert len(story["attempts"]) == 2
    assert story["letter"]["reason"] == "object_without_id"
    fine = run("show", bench.event_ids()[-1])
    assert (fine.returncode, "it is applied" in fine.stderr) == (1, True)
    unknown = run("show", "evt_unknown").stderr
    assert unknown == "Error: evt_unknown is no dead letter: it is not in the log.\n"


def test_a_retry_is_rehearsed_then_done_and_harmless_when_done_again(
    run: "Run", bench: Bench
) -> None:
    rehearsed = run("retry", "--all", "--dry-run")
    assert "3 would be retried (of 3)." in rehearsed.stdout
    assert len(left(run)) == 3
    assert told(run("retry", "--reason", "object_without_id", "--json"))["retried"] == 2
    assert left(run) == ["evt_c"]
    again = run("retry", "evt_a")
    assert (again.returncode, "left alone: it is retrying" in again.stdout) == (0, True)
    bench.work()
    assert len(left(run)) == 3
    assert "retried (object_not_an_object)" in run("retry", "evt_c").stdout


@pytest.mark.usefixtures("bench")
def test_discarding_asks_unless_events_are_named(run: "Run") -> None:
    refused = run("discard", "--all")
    assert (refused.returncode, "Say so with --yes" in refused.stderr) == (1, True)
    assert len(left(run)) == 3
    assert "1 would be discarded" in run("discard", "evt_a", "--dry-run").stdout
    done = run("discard", "evt_a")
    assert done.returncode == 0
    assert "event.discarded" in done.stderr
    assert left(run) == ["evt_b", "evt_c"]
    assert told(run("discard", "--all", "--yes", "--json"))["discarded"] == 2
    assert left(run) == []
    assert "left alone: it is discarded" in run("discard", "evt_a").stdout


@pytest.mark.usefixtures("bench")
def test_what_is_not_in_the_log_is_trouble(run: "Run") -> None:
    for word in ("retry", "discard"):
        said = run(word, "evt_unknown", "evt_a", "--dry-run")
        assert said.returncode == 1
        assert "evt_unknown  is not in the log" in said.stdout
    assert len(left(run)) == 3


@pytest.mark.parametrize("words", [[], ["evt_a", "--all"], ["evt_a", "--reason", "x"]])
def test_a_choice_that_is_none_or_two_is_refused(run: "Run", words: list[str]) -> None:
    for word in ("retry", "discard"):
        assert run(word, *words).returncode == 2


def test_many_are_not_listed_one_by_one(run: "Run", bench: Bench) -> None:
    bench.log.flushall()
    bench.accept(*[created("A", n) for n in range(520)])
    for entry in event_log.claim_new(bench.log, "worker", 1000):
        history = retries.begun(bench.log, entry.entry_id, entry.id)
        retries.write(bench.log, entry.entry_id, retries.failed(history, "Bug", final=True))
    said = run("retry", "--all")
    assert said.returncode == 0
    assert "520 retried (of 520)." in said.stdout
    assert "evt_" not in said.stdout
    assert left(run) == []
    assert len(bench.event_ids()) == 520
