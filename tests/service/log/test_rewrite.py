"""The log written anew: the same entries and the same standing, and nothing of what was erased."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import redis

from service.event import Event, read_event
from service.keys import GROUP, LOG, LOG_COPY
from service.log import rewrite as log_rewrite
from service.log.backlog import backlog
from service.log.entry import new_entry
from service.log.event_log import (
    APPEND_SCRIPT,
    acknowledge,
    append_command,
    claim_new,
    claim_stuck,
    ensure_group,
)
from service.log.retention import trim
from service.log.rewrite import rewrite_log

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.service.conftest import EventBody


@pytest.fixture(name="client")
def a_client(store: "Store", monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    client = store.client()
    monkeypatch.setattr(log_rewrite, "PIECE", 4)
    client.config_set("rdbcompression", "no")  # so that a dump shows what is in it
    yield client
    client.config_set("rdbcompression", "yes")


def append(client: redis.Redis, event_body: "EventBody", *event_ids: str) -> None:
    client.script_load(APPEND_SCRIPT)
    for event_id in event_ids:
        event = read_event(event_body(event_id))
        assert isinstance(event, Event)
        command = append_command([new_entry(event, event_body(event_id))], "rq:queue:events")
        client.execute_command(*command)  # type: ignore[no-untyped-call]


def nothing(_copied: int) -> None:
    pass


def entry_ids(client: redis.Redis) -> list[bytes]:
    items: Any = client.xrange(LOG)
    return [entry_id for entry_id, _ in items]


def known(client: redis.Redis) -> Any:
    """Return all that can be told of the log, but for how long ago something was."""
    [group] = client.xinfo_groups(LOG)
    stream = client.xinfo_stream(LOG)
    taken = client.xpending_range(LOG, GROUP, "-", "+", 100)
    ids = ("last-generated-id", "entries-added", "max-deleted-entry-id", "length")
    return (
        client.xrange(LOG),
        {name: group[name] for name in ("last-delivered-id", "pending", "entries-read")},
        {name: stream[name] for name in ids},
        [(one["message_id"], one["consumer"], one["times_delivered"]) for one in taken],
        backlog(client).pending,
    )


def test_entries_ids_and_what_is_pending_are_the_same_and_the_erased_are_gone(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body, *(f"evt_{n}" for n in range(10)), "evt_erased")
    taken = claim_new(client, "worker", 7)
    claim_stuck(client, "worker", 0, 2)
    acknowledge(client, [entry.entry_id for entry in taken[2:5]])
    client.xdel(LOG, entry_ids(client)[-1])
    dump: Any = client.dump(LOG)
    assert b"evt_erased" in dump
    before = known(client)
    rewrite_log(client, nothing)
    assert known(client) == before
    dump = client.dump(LOG)
    assert b"evt_erased" not in dump
    assert not client.exists(LOG_COPY)
    assert [entry.id for entry in claim_new(client, "worker", 10)] == ["evt_7", "evt_8", "evt_9"]
    append(client, event_body, "evt_new")
    assert [entry.id for entry in claim_new(client, "worker", 10)] == ["evt_new"]


def test_what_comes_and_what_goes_meanwhile_is_heeded(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body, *(f"evt_{n}" for n in range(9)))
    ensure_group(client)
    steps: list[int] = []

    def meanwhile(copied: int) -> None:
        steps.append(copied)
        if len(steps) == 1:
            client.xdel(LOG, entry_ids(client)[0])
            append(client, event_body, "evt_meanwhile")

    rewrite_log(client, meanwhile)
    ids = [entry.id for entry in claim_new(client, "worker", 20)]
    assert ids == [*(f"evt_{n}" for n in range(1, 9)), "evt_meanwhile"]
    assert sum(steps) > 10  # it began again


def test_retention_takes_no_copying_back_to_its_beginning(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body, *(f"evt_{n}" for n in range(20)))
    acknowledge(client, [entry.entry_id for entry in claim_new(client, "worker", 14)])
    steps: list[int] = []

    def meanwhile(copied: int) -> None:
        steps.append(copied)
        trim(client, 0, count=2)

    applied = entry_ids(client)[:14]
    rewrite_log(client, meanwhile)
    assert sum(steps) <= 20
    assert 0 < len(set(applied) & set(entry_ids(client))) < len(applied)
    assert [entry.id for entry in claim_new(client, "worker", 20)] == [
        f"evt_{n}" for n in range(14, 20)
    ]
    assert not client.exists(LOG_COPY)


def test_what_was_copied_and_trimmed_to_the_last_is_no_end(
    client: redis.Redis, event_body: "EventBody"
) -> None:
    append(client, event_body, *(f"evt_{n}" for n in range(9)))
    acknowledge(client, [entry.entry_id for entry in claim_new(client, "worker", 5)])

    def meanwhile(_copied: int) -> None:
        trim(client, 0)

    rewrite_log(client, meanwhile)
    assert [entry.id for entry in claim_new(client, "worker", 9)] == [
        f"evt_{n}" for n in range(5, 9)
    ]


def test_one_that_was_stopped_is_gone_on_with(client: redis.Redis, event_body: "EventBody") -> None:
    append(client, event_body, *(f"evt_{n}" for n in range(9)))
    ensure_group(client)

    def stop(_copied: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rewrite_log(client, stop)
    assert client.xlen(LOG_COPY) == 4
    assert client.xlen(LOG) == 9
    before = known(client)
    assert 0 < msgspec.convert(client.ttl(LOG_COPY), int) <= 600  # were it left so for good
    rewrite_log(client, nothing)
    assert known(client) == before
    assert client.ttl(LOG) == -1  # never


@pytest.mark.parametrize("grouped", [True, False])
def test_an_empty_log_stays_one(
    client: redis.Redis, event_body: "EventBody", *, grouped: bool
) -> None:
    rewrite_log(client, nothing)
    assert not client.exists(LOG)
    append(client, event_body, "evt_1")
    if grouped:
        ensure_group(client)
    client.xdel(LOG, entry_ids(client)[0])
    rewrite_log(client, nothing)
    assert client.exists(LOG) == grouped
    append(client, event_body, "evt_2")
    assert [entry.id for entry in claim_new(client, "worker", 9)] == ["evt_2"]
