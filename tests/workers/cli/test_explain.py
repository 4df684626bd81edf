"""`onfile explain` as people and programs read it."""

import io
import json
import subprocess
from typing import TYPE_CHECKING, cast

import pytest
from rich.console import Console

from service.compression import compress
from service.keys import Namespace, customer_key
from tests.workers.notation import CUSTOMER, added, card, created, event, removed, updated
from tests.workers.operators.bench import Bench
from workers.cli.timeline_text import print_timeline
from workers.operators.timelines import Timelines

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Store

    Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(onfile: "Run", store: "Store") -> "Run":
    def asked(*words: str) -> subprocess.CompletedProcess[str]:
        return onfile("explain", *words, environ={"REDIS_URL": store.url})

    return asked


def test_it_says_why_and_then_every_change_with_its_event(run: "Run", bench: Bench) -> None:
    bench.accept(
        created("A", 1),
        added("B", 2),
        event("customer.source.updated", card("B", name="Zoe"), 3, previous={"name": None}),
        removed("A", 4),
    )
    bench.drain()
    said = run(CUSTOMER)
    assert (said.returncode, said.stderr) == (0, "")
    assert "card_A, the default until then, was removed" in said.stdout
    assert "card_B changed: name" in said.stdout
    assert "Zoe" not in said.stdout
    assert "default card_A → card_B (inferred)" in said.stdout
    assert all(event_id in said.stdout for event_id in bench.event_ids())
    shown = json.loads(run(CUSTOMER, "--json").stdout)
    assert (shown["default_source"], shown["rule"]) == ("card_B", "passed_on")
    assert shown["changes"][-1]["events"][0]["id"] == bench.event_ids()[-1]


def test_every_line_fits_a_terminal_of_eighty_columns(bench: Bench) -> None:
    long = "card_" + "x" * 24
    bench.accept(created("A", 1), event("customer.source.created", card(long), 2))
    bench.drain()
    timeline = Timelines(bench.log, bench.desk.projection)(Namespace("", "test"), CUSTOMER)
    assert timeline
    out = Console(width=80, file=io.StringIO())
    print_timeline(out, timeline)
    lines = cast("io.StringIO", out.file).getvalue().splitlines()
    assert any(long in line for line in lines)
    assert max(len(line.rstrip()) for line in lines) <= 80


def test_what_cannot_be_decided_names_the_possible_ones(run: "Run", bench: Bench) -> None:
    bench.accept(created(None, 1), updated([None], 2, previous={"name": "m"}), added("A", 2))
    bench.drain()
    assert "between    none, card_A" in run(CUSTOMER).stdout


def test_a_customer_that_is_not_known_is_said_in_a_sentence(run: "Run", bench: Bench) -> None:
    said = run("cus_unknown")
    assert said.returncode == 1
    assert "No customer cus_unknown of your own account is known in either mode" in said.stderr
    assert "--account" in said.stderr
    assert "onfile reconcile --customer cus_unknown --repair" in said.stderr
    assert (
        "of acct_1 is known in live mode"
        in run(CUSTOMER, "--account", "acct_1", "--mode", "live").stderr
    )
    bench.accept(created("A", 1), created("A", 1).replace(b'"livemode":false', b'"livemode":true'))
    bench.drain()
    assert "Say which: --mode" in run(CUSTOMER).stderr
    assert run(CUSTOMER, "--mode", "live").returncode == 0


def test_a_damaged_document_is_said_in_a_sentence(run: "Run", bench: Bench) -> None:
    bench.accept(created("A", 1))
    bench.drain()
    key = customer_key(Namespace("", "test"), CUSTOMER)
    bench.log.set(key, bytes(8) + compress(b"\x92\x97\xa1\xff"))
    said = run(CUSTOMER)
    assert said.returncode == 1
    assert said.stderr.startswith("Error: A document or an event cannot be read: it is damaged.")
    assert "onfile rebuild --check" in said.stderr
