"""`onfile forget` as operators meet it: it asks first, says what it did, and does no harm again."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.workers.notation import CUSTOMER, added, created
from tests.workers.operators.bench import Bench, bench_on

if TYPE_CHECKING:
    from tests.conftest import Store

    Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bench(store: "Store") -> Iterator[Bench]:
    with bench_on(store.url) as made:
        made.accept(created("A", 1), added("A", 1))
        yield made


@pytest.fixture
def run(onfile: "Run", store: "Store") -> "Run":
    def asked(*words: str) -> subprocess.CompletedProcess[str]:
        return onfile("forget", *words, environ={"REDIS_URL": store.url}, stdin="")

    return asked


def test_without_a_yes_nothing_is_erased_and_it_says_what_would_be(
    run: "Run", bench: Bench
) -> None:
    bench.drain()
    before = {key: bench.log.dump(key) for key in bench.log.scan_iter()}
    dry = run(CUSTOMER, "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert "sources         card_A" in dry.stdout
    assert "events          2: 2 applied" in dry.stdout
    refused = run(CUSTOMER)
    assert refused.returncode == 1
    assert "Say so with --yes" in refused.stderr
    assert {key: bench.log.dump(key) for key in bench.log.scan_iter()} == before


def test_it_says_what_was_erased_what_is_left_and_what_it_cannot_reach(
    run: "Run", bench: Bench
) -> None:
    bench.drain()
    said = run(CUSTOMER, "--yes")
    assert said.returncode == 0
    assert "2 documents, 2 events" in said.stdout
    assert "0 documents, 0 events" in said.stdout
    assert "written anew" in said.stdout
    assert "backups" in said.stdout
    again = json.loads(run(CUSTOMER, "--yes", "--json").stdout)
    assert (again["erased_entries"], again["left_entries"]) == (0, 0)


def test_who_is_only_in_the_log_is_found_where_the_mode_is_named(run: "Run", bench: Bench) -> None:
    assert bench.event_ids()
    unknown = run(CUSTOMER, "--yes")
    assert unknown.returncode == 1
    assert "No customer cus_1" in unknown.stderr
    assert run(CUSTOMER, "--mode", "test", "--yes").returncode == 0
    assert bench.event_ids() == []
