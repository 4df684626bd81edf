"""The index of the event log: short rows that Lua writes and Python reads."""

from typing import TYPE_CHECKING, Any

import redis

from service.event import Event, read_event
from service.keys import LOG, Namespace
from service.log.entry import new_entry
from service.log.event_log import APPEND_SCRIPT, append_command
from service.log.index import NO_ROW, Place, places, rows_of

if TYPE_CHECKING:
    from tests.conftest import Store
    from tests.service.conftest import EventBody


def _entries(client: redis.Redis) -> Any:
    return client.xrange(LOG)


def test_a_row_that_was_appended_leads_to_its_entry_and_namespace(
    store: "Store", event_body: "EventBody"
) -> None:
    client = store.client()
    client.script_load(APPEND_SCRIPT)
    body = event_body("evt_1", livemode=True, account="acct_1")
    event = read_event(body)
    assert isinstance(event, Event)
    command = append_command([new_entry(event, body)], "rq:queue:events")
    client.execute_command(*command)  # type: ignore[no-untyped-call]
    [(entry_id, _)] = _entries(client)
    here = [Place(entry_id.decode(), Namespace(account="acct_1", mode="live"))]
    for name, row in zip(
        ("evt_1", event.request), rows_of("evt_1", event.request, body), strict=True
    ):
        bucket: Any = client.hgetall(row.bucket)
        assert row.field in bucket
        assert places(bucket.items(), name) == here


def test_places_are_told_oldest_first_and_of_the_id_asked_for_alone() -> None:
    rows = [
        (
            rows_of(event_id, "", body)[0].field,
            when.to_bytes(6, "big") + number.to_bytes(3, "big") + b"t",
        )
        for event_id, body, when, number in (
            ("evt_1", b"{}", 256, 0),
            ("evt_1", b"{ }", 255, 10),
            ("evt_1", b"{  }", 255, 9),
            ("evt_2", b"{}", 1, 1),
        )
    ]
    found = [place.entry_id for place in places(rows, "evt_1")]
    assert found == ["255-9", "255-10", "256-0"]


def test_without_a_request_there_is_no_row_of_one() -> None:
    by_id, by_request = rows_of("evt_1", "", b"{}")
    assert by_request == NO_ROW
    lies = [(by_id.field, b"\0" * 9 + b"t")]
    assert places(lies, "evt_1") == [Place("0-0", Namespace("", "test"))]
    assert places(lies, "evt_10") == places(lies, "evt_1*") == []
