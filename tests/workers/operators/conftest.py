"""What every test of an operator's question has: a store at which something happens."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from service.keys import REPLAY_HALT
from tests.workers.operators.bench import Bench, Handlers, bench_on
from workers import draining, halting, jobs, replaying, rounds

if TYPE_CHECKING:
    from tests.conftest import Store


@pytest.fixture
def keys() -> tuple[str, ...]:
    """The encryption keys in force: none, unless a test says otherwise."""
    return ()


@pytest.fixture
def bench(
    store: "Store", monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> Iterator[Bench]:
    monkeypatch.setattr(draining, "_stop_rule", halting.StopRule())
    monkeypatch.setattr(replaying, "_stop_rule", halting.StopRule(REPLAY_HALT))
    monkeypatch.setattr(jobs, "_stores", None)
    monkeypatch.setenv("REDIS_URL", store.url)
    monkeypatch.setenv("ONFILE_ENCRYPTION_KEYS", ",".join(keys))
    with bench_on(store.url, keys) as made:
        yield made


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> Handlers:
    made = Handlers()
    monkeypatch.setattr(rounds, "facts_of", made.facts_of)
    return made
