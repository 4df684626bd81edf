"""Reading an event: every real payload is taken, and nothing but an event."""

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.event import Event, NotAnEventError, Unprojected, read_event
from service.event_types import PROJECTED_TYPES
from service.keys import Namespace

if TYPE_CHECKING:
    from tests.service.conftest import EventBody

DATA = Path(__file__).parents[1] / "data"
FIXTURES = sorted((DATA / "webhook_fixtures").glob("*.json"))
LEGACY = sorted((DATA / "webhook_fixtures_legacy").glob("*.json"))
RECORDED = json.loads((DATA / "recorded" / "customer_source_1" / "events.json").read_text())

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def event(body: bytes) -> Event:
    """Return the event of a body that is one of a projected type."""
    read = read_event(body)
    assert isinstance(read, Event)
    return read


def refusal(body: bytes) -> str:
    """Return why the body is not an event."""
    with pytest.raises(NotAnEventError) as refused:
        read_event(body)
    return refused.value.reason


def test_an_event_is_read_with_all_that_is_used_of_it(event_body: "EventBody") -> None:
    data = {
        "object": {"id": "card_1", "object": "card", "customer": "cus_1", "exp_month": 3},
        "previous_attributes": {"exp_month": 2},
    }
    body = event_body("evt_9", type="customer.source.updated", data=data, account="acct_1")
    assert event(body) == Event(
        id="evt_9",
        type="customer.source.updated",
        created=1_652_289_172,
        namespace=Namespace(account="acct_1", mode="test"),
        api_version="2020-08-27",
        request="req_1",
        object=b'{"id":"card_1","object":"card","customer":"cus_1","exp_month":3}',
        previous=b'{"exp_month":2}',
        object_id="card_1",
        kind="card",
        customer="cus_1",
    )


@pytest.mark.parametrize("file", [*FIXTURES, *LEGACY], ids=lambda file: file.stem)
def test_every_captured_payload_is_an_event(file: Path) -> None:
    body = file.read_bytes()
    sent = json.loads(body)
    read = read_event(body)
    assert (read.id, read.type) == (sent["id"], sent["type"])
    assert isinstance(read, Event) == (sent["type"] in PROJECTED_TYPES)


@pytest.mark.parametrize("sent", RECORDED["events"], ids=lambda sent: sent["id"])
def test_every_recorded_event_is_read(sent: dict[str, Any]) -> None:
    read = read_event(json.dumps(sent, indent=2).encode())
    assert read.id == sent["id"]
    if isinstance(read, Event):
        assert json.loads(read.object) == sent["data"]["object"]
        assert read.object_id == sent["data"]["object"]["id"]


def test_the_object_keeps_every_number_null_and_unknown_field_as_it_was_sent() -> None:
    sent = b'{ "id": "cus_1",  "n": 1.10, "big": 123456789012345678901, "e": 1E5, "l": [ null ] }'
    body = b'{"id":"evt_1","type":"customer.created","data":{"object":%b}}' % sent
    assert event(body).object == sent.replace(b" ", b"")


@pytest.mark.parametrize(
    ("request_field", "expected"),
    [
        ("req_1", "req_1"),
        ({"id": "req_1", "idempotency_key": "k"}, "req_1"),
        ({"id": None, "idempotency_key": None}, ""),
        (None, ""),
        ("", ""),
        ({"id": "not an id*"}, ""),
        ([1], ""),
    ],
)
def test_the_request_is_found_in_every_era(
    event_body: "EventBody", request_field: object, expected: str
) -> None:
    assert event(event_body(request=request_field)).request == expected


@pytest.mark.parametrize(
    ("event_type", "data", "expected"),
    [
        ("customer.updated", {"object": {"id": "cus_1", "object": "customer"}}, "cus_1"),
        ("source.chargeable", {"object": {"id": "src_1", "object": "source"}}, ""),
        ("source.chargeable", {"object": {"id": "src_1", "customer": "cus_2"}}, "cus_2"),
        ("source.chargeable", {"object": {"id": "src_1", "customer": {"id": "cus_2"}}}, "cus_2"),
        ("source.chargeable", {"object": {"id": "src_1", "customer": 7}}, ""),
        (
            "payment_method.detached",
            {"object": {"customer": None}, "previous_attributes": {"customer": "cus_3"}},
            "cus_3",
        ),
        ("payment_method.detached", {"object": {"customer": None}}, ""),
        ("payment_method.detached", {"object": [], "previous_attributes": [1]}, ""),
        ("customer.updated", {}, ""),
        ("customer.updated", {"object": None}, ""),
        ("customer.updated", {"object": "cus_1"}, ""),
    ],
)
def test_the_customer_is_the_object_its_owner_or_its_last_owner(
    event_body: "EventBody", event_type: str, data: object, expected: str
) -> None:
    assert event(event_body(type=event_type, data=data)).customer == expected


@pytest.mark.parametrize("data", [{}, {"object": None}, {"object": []}, None, 3])
def test_an_object_that_is_none_is_left_to_the_handlers(
    event_body: "EventBody", data: object
) -> None:
    read = event(event_body(data=data))
    assert not read.object.startswith(b"{")
    assert read.object_id == ""
    assert read.previous is None


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (1_652_289_172, 1_652_289_172),
        (1_652_289_172.9, 1_652_289_172),
        ("2024-01-01T00:00:00Z", 0),
        (None, 0),
        (True, 0),
        (-5, 0),
    ],
)
def test_an_event_that_tells_no_second_gets_the_earliest(
    event_body: "EventBody", created: object, expected: int
) -> None:
    assert event(event_body(created=created)).created == expected


@pytest.mark.parametrize(
    ("envelope", "subject", "expected"),
    [(True, None, "live"), (False, True, "test"), (None, True, "live"), (None, None, "test")],
)
def test_the_mode_is_the_envelopes_or_else_the_objects(
    event_body: "EventBody", envelope: object, subject: object, expected: str
) -> None:
    body = event_body(livemode=envelope, data={"object": {"id": "cus_1", "livemode": subject}})
    assert event(body).namespace.mode == expected


def test_an_old_capture_without_the_word_event_is_taken_when_it_has_data() -> None:
    assert event(b'{"id":"evt_1","type":"customer.created","data":{}}').id == "evt_1"
    assert refusal(b'{"id":"evt_1","type":"customer.created"}') == "not_an_event"


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"evt_1","object":"event","type":"charge.succeeded","data":{"object":{}}}',
        b'{"id":"evt_1","object":"v2.core.event","type":"v2.core.account[identity].updated"}',
        b'{"id":"evt_1","object":"v2.core.event","type":"v2.core.x","created":"2025-01-01T00:00Z"}',
        b'{"id":"evt_1","object":"v2.core.event","type":"customer.created","livemode":false}',
    ],
)
def test_other_types_and_thin_events_are_acknowledged_and_not_projected(body: bytes) -> None:
    assert read_event(body) == Unprojected(id="evt_1", type=json.loads(body)["type"])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"hello", "not_json"),
        (b'{"id":"evt_1"', "not_json"),
        (b'{"id":"evt_1","type":"a","data":{"object":{"n":01}}}', "not_json"),
        (b'\xef\xbb\xbf{"id":"evt_1","type":"a","data":{}}', "not_json"),
        (b'{"id":"evt_1","type":"a","data":{},"x":"\xff"}', "not_utf8"),
        (b"[]", "not_an_object"),
        (b'"evt_1"', "not_an_object"),
        (b"null", "not_an_object"),
        (b"{}", "bad_id"),
        (b'{"id":1,"type":"a"}', "bad_id"),
        (b'{"id":null,"type":"a"}', "bad_id"),
        (b'{"id":"","type":"a","data":{}}', "bad_id"),
        (b'{"id":"a:b","type":"a","data":{}}', "bad_id"),
        (b'{"id":"%b","type":"a","data":{}}' % (b"x" * 256), "bad_id"),
        (b'{"id":"evt_1"}', "bad_type"),
        (b'{"id":"evt_1","type":3}', "bad_type"),
        (b'{"id":"evt_1","type":"","data":{}}', "bad_type"),
        (b'{"id":"evt_1","type":"a\\nb","data":{}}', "bad_type"),
        (b'{"id":"evt_1","type":"a","created":1e999,"data":{}}', "bad_field"),
        (b'{"id":"src_1","object":"source","type":"card","data":{}}', "not_an_event"),
        (b'{"id":"evt_1","type":"customer.created","account":"a:b","data":{}}', "bad_account"),
        (b'{"id":"evt_1","x":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "too_deep"),
        (b'{"id":"evt_1","x":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001, "too_deep"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[:24].hex(),
)
def test_what_is_no_event_is_refused_with_one_word(body: bytes, reason: str) -> None:
    assert refusal(body) == reason


@given(body=st.binary() | st.text().map(str.encode) | JSON.map(json.dumps).map(str.encode))
def test_no_bytes_bring_anything_but_an_event_or_a_refusal(body: bytes) -> None:
    with contextlib.suppress(NotAnEventError):
        read_event(body)


@given(
    fields=st.dictionaries(
        st.sampled_from(
            ["object", "created", "livemode", "account", "request", "data", "api_version", "id"]
        ),
        JSON | st.just("event") | JSON.map(lambda inner: {"object": inner}),
    ),
    event_type=st.sampled_from(sorted(PROJECTED_TYPES)),
)
def test_no_envelope_brings_anything_but_an_event_or_a_refusal(
    fields: dict[str, Any], event_type: str
) -> None:
    body = json.dumps({"id": "evt_1", "type": event_type, "data": {}} | fields).encode()
    try:
        read = read_event(body)
    except NotAnEventError:
        return
    if isinstance(read, Event):
        data = json.loads(body)["data"]
        told = data.get("object") if isinstance(data, dict) else None
        assert json.loads(read.object) == told
