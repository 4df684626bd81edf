"""`onfile events` as people and programs read it."""

import io
import json
import subprocess
from typing import TYPE_CHECKING, cast

import pytest
from rich.console import Console

from service.event_types import READ_TYPE
from tests.workers.notation import CUSTOMER, added, created, customer, event
from tests.workers.operators.bench import Bench
from workers import admission
from workers.cli.tables import print_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Store

    Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(onfile: "Run", store: "Store") -> "Run":
    def asked(*words: str) -> subprocess.CompletedProcess[str]:
        return onfile("events", *words, environ={"REDIS_URL": store.url})

    return asked


def test_a_table_names_the_newest_first_in_full(run: "Run", bench: Bench) -> None:
    long = "evt_" + "x" * 40
    bench.accept(created("A", 1), event("customer.updated", {"id": "cus_9"}, 2, event_id=long))
    said = run("list")
    assert (said.returncode, said.stderr) == (0, "")
    lines = said.stdout.splitlines()
    assert lines[0].split() == [
        *("received", "event", "state", "type", "customer", "object", "request")
    ]
    assert long in lines[1]
    assert "pending" in lines[1]
    assert len(lines) == 3


def test_on_a_narrow_terminal_nothing_is_folded_and_columns_are_left_out() -> None:
    columns = ("received", "event", "type", "customer", "object")
    row = ("00:00:00Z", "evt_" + "x" * 24, "customer.source.created", "cus_1", "card_1")
    for width, shown in ((80, columns[:-1]), (60, columns[:3])):
        out = Console(width=width, file=io.StringIO())
        print_whole(out, *columns, rows=[row], dispensable=("object", "customer"))
        head, line = cast("io.StringIO", out.file).getvalue().splitlines()
        assert head.split() == list(shown)
        assert line.split() == list(row[: len(shown)])


def test_what_is_piped_has_no_trailing_blanks(run: "Run", bench: Bench) -> None:
    bench.accept(created("A", 1), event("customer.updated", {"id": "cus_9"}, 2))
    lines = run("list").stdout.splitlines()
    assert lines == [line.rstrip() for line in lines]


def test_pages_follow_one_another_and_json_says_where_to_go_on(run: "Run", bench: Bench) -> None:
    bench.accept(*[created("A", n) for n in range(7)])
    assert "--after" in run("list", "--limit", "3").stdout
    seen: list[str] = []
    after: list[str] = []
    while True:
        page = json.loads(run("list", "--json", "--oldest-first", "--limit", "3", *after).stdout)
        seen += [one["event"] for one in page["events"]]
        if page["after"] is None:
            break
        after = ["--after", page["after"]]
    assert seen == bench.event_ids()
    assert len(json.loads(run("list", "--json", "--limit", "0").stdout)["events"]) == 7


def test_filters_are_taken_together(run: "Run", bench: Bench) -> None:
    bench.accept(created("A", 1), added("B", 2))
    bench.drain()
    words = ["--type", "customer.source.*", "--state", "applied", "--since", "1h", "--json"]
    [found] = json.loads(run("list", *words).stdout)["events"]
    assert (found["type"], found["object"]) == ("customer.source.created", "card_B")
    assert json.loads(run("list", "--until", "1h", "--json").stdout) == {
        "events": [],
        "after": None,
    }
    assert run("list", "--customer", "cus_nobody").stdout == "No such event in the log.\n"


def test_a_moment_that_is_none_is_refused_with_what_to_write(run: "Run", bench: Bench) -> None:
    bench.accept(created("A", 1))
    said = run("list", "--since", "yesterday")
    assert said.returncode == 2
    assert "write how long ago" in said.stderr


def test_an_entry_that_is_none_is_refused_with_what_to_write(run: "Run") -> None:
    said = run("list", "--after", "evt_1")
    assert said.returncode == 2
    assert "'evt_1' is no entry; write one like 1700000000000-0" in " ".join(said.stderr.split())


def test_one_event_is_shown_with_its_facts_and_without_its_secret(run: "Run", bench: Bench) -> None:
    source = {"id": "src_1", "object": "source", "client_secret": "src_client_secret_hidden1"}
    bench.accept(event("source.chargeable", source, 1, event_id="evt_shown"))
    bench.drain()
    said = run("show", "evt_shown")
    assert (said.returncode, said.stderr) == (0, "")
    assert "yes: it shapes what is answered now" in said.stdout
    assert "hidden1" not in said.stdout
    assert "Masked, since it lets its reader act: data.object.client_secret" in said.stdout
    [told] = json.loads(run("show", "evt_shown", "--json").stdout)["events"]
    assert told["envelope"]["id"] == "evt_shown"
    assert told["shapes_answer"] is True
    assert told["masked"] == ["data.object.client_secret"]


def test_an_event_that_failed_is_shown_with_its_attempts(run: "Run", bench: Bench) -> None:
    bench.accept(event("customer.source.created", {"object": "card"}, 5, event_id="evt_poison"))
    bench.drain()
    said = run("show", "evt_poison").stdout
    assert "object_without_id" in said
    assert "no: nothing can be read out of it" in said


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (event("source.transaction.created", {"object": "source_transaction"}, 1), "tells nothing"),
        (created("A", 1), "or it is not applied"),
    ],
)
def test_an_event_without_influence_says_why(
    run: "Run", bench: Bench, body: bytes, words: str
) -> None:
    bench.accept(body)
    assert words in run("show", bench.event_ids()[0]).stdout


def test_an_event_that_is_not_there_is_said_in_a_sentence(run: "Run") -> None:
    said = run("show", "evt_unknown")
    assert said.returncode == 1
    assert said.stderr == (
        "Error: evt_unknown is not in the log: it never came, it is older than the retention, or "
        "its customer was forgotten.\n"
    )


def test_an_entry_that_is_none_is_refused_in_a_sentence(run: "Run") -> None:
    said = run("list", "--after", "yesterday")
    assert said.returncode == 2
    assert "'yesterday' is no entry; write one like 1700000000000-0" in said.stderr


def test_a_read_is_not_told_as_something_that_stripe_did(run: "Run", bench: Bench) -> None:
    shown = {"id": CUSTOMER, "customer": {**customer(None), "sources": {"data": []}}, "gone": []}
    body = {**json.loads(event(READ_TYPE, shown, 1, event_id="read_1")), "request": None}
    admission.append(bench.log, [json.dumps(body).encode()])
    assert "none: Onfile read it" in run("show", "read_1").stdout
