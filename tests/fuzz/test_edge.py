"""The edge, given anything at all: never a 500, never a hang, always an answer in its shape.

`ONFILE_EXAMPLES` inputs of each kind are tried; `make fuzz` tries a million.
"""

import asyncio
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.settings import Settings
from service.signature import sign
from service.web import wrong_keys
from service.web.app import create_app
from tests.asgi import Answer, request, running
from tests.fuzz.targets import SEEDS, TARGETS
from workers.operators.timelines import opened_when_asked

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from tests.conftest import Store

EXAMPLES = int(os.environ.get("ONFILE_EXAMPLES", "50"))
HANG_SECONDS = 15
MAKEFILE = Path(__file__).parents[2] / "Makefile"
SECRET = "whsec_fuzz"
KEY = "sk_test_fuzzfuzzfuzzfuzz"
UNSENDABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What may not be in a header: uvicorn would answer 500."""

tried = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

TOKENS = (
    *(b"t=", b"v1=", b"v0=", b"1700000000", b",", b"=", b"&", b"%00", b"%ff", b"%", b"[]", b"[0]"),
    *(b"limit", b"expand", b"starting_after", b"ending_before", b"object", b"card", b"data.source"),
    *(b"Bearer ", b"Basic ", b"sk_test_", b"sk_live_", KEY.encode(), b"wait", b'"', b"W/", b"*"),
    *(b"-1", b"0", b"100", b"9" * 30, b";", b" ", b"\n", b"\x00", b"\xff", b"\xf0\x9f\x92\xb3"),
)
STRANGE = st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(TOKENS)).map(b"".join))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["cus_1", "card_1", "src_1", ""]) | JSON,
        "object": st.sampled_from(["customer", "card", "source", "payment_method"]) | JSON,
        "customer": st.sampled_from(["cus_1", None]) | JSON,
        "sources": JSON,
        "default_source": JSON,
    },
)
EVENTS = st.fixed_dictionaries(
    {"object": st.just("event") | JSON},
    optional={
        "id": st.sampled_from(["evt_1", "evt_2"]) | JSON,
        "type": st.sampled_from(["customer.updated", "customer.source.created", "a.b"]) | JSON,
        "created": st.integers() | JSON,
        "account": st.sampled_from(["acct_1", ""]) | JSON,
        "livemode": st.booleans() | JSON,
        "request": st.fixed_dictionaries({"id": JSON}) | JSON,
        "data": st.fixed_dictionaries({"object": OBJECTS | JSON, "previous_attributes": JSON}),
    },
)
BODIES = st.one_of(
    STRANGE, EVENTS.map(json.dumps).map(str.encode), JSON.map(json.dumps).map(str.encode)
)
PATHS = st.one_of(
    st.sampled_from(
        [
            "/v1/customers/cus_1",
            "/v1/customers/cus_1/sources",
            "/v1/customers/cus_1/sources/card_1",
            "/v1/customers/cus_1/default_source",
            "/v1/sources/src_1",
        ]
    ),
    st.text(max_size=40).map("/v1/customers/{}".format),
    st.text(max_size=40).map("/{}".format),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [b"authorization", b"stripe-account", b"if-none-match", b"prefer", b"onfile-after"]
    ),
    STRANGE | st.sampled_from([b"acct_1", b"evt_1", b"req_1", b"wait=0"]),
)


class Edge:
    """The application without a server, on the loop of the test."""

    def __init__(self, app: "Starlette", runner: asyncio.Runner) -> None:
        self._app = app
        self._runner = runner

    def ask(self, method: str, path: str, query: bytes, headers: Any, body: bytes = b"") -> Answer:
        """Return the answer; what the application does not foresee is raised here."""
        asked = request(self._app, method, path, query, headers, body)
        answer = self._runner.run(asyncio.wait_for(asked, HANG_SECONDS))
        for name, value in answer.headers.items():
            assert not UNSENDABLE.search(value), (name, value)
        return answer


@pytest.fixture
def edge(store: "Store", monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    monkeypatch.setattr(wrong_keys, "FIRST_PAUSE_SECONDS", 0.0)
    settings = Settings(redis_url=store.url, webhook_secrets=(SECRET,), api_keys=(KEY,))
    app = create_app(settings, opened_when_asked(settings))
    with running(app) as runner:
        yield Edge(app, runner)


def assert_refused_in_shape(answer: Answer) -> None:
    error = json.loads(answer.body)["error"]
    assert error["type"] in {"invalid_request_error", "api_error"}
    assert error["message"]


@pytest.mark.parametrize("name", TARGETS)
def test_what_reads_strangers_bytes_takes_any(name: str) -> None:
    tried(given(STRANGE | BODIES)(TARGETS[name]))()


@tried
@given(signature=STRANGE, body=BODIES)
def test_no_delivery_gets_in_unsigned(edge: Edge, signature: bytes, body: bytes) -> None:
    headers = [(b"stripe-signature", signature), (b"content-length", b"%d" % len(body))]
    answer = edge.ask("POST", "/webhooks/stripe", b"", headers, body)
    assert answer.status == 400
    assert_refused_in_shape(answer)


@tried
@given(body=BODIES)
def test_whatever_is_signed_is_kept_or_refused(edge: Edge, body: bytes) -> None:
    headers = [(b"stripe-signature", sign(body, SECRET, now=time.time()).encode())]
    answer = edge.ask("POST", "/webhooks/stripe", b"", headers, body)
    assert answer.status in {200, 400}
    if answer.status != 200:
        assert_refused_in_shape(answer)


@tried
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "DELETE", "OPTIONS", "BREW"]),
    path=PATHS,
    query=STRANGE,
    headers=HEADERS,
    knows_the_key=st.booleans(),
)
def test_whatever_is_asked_is_answered_in_stripes_shapes(  # noqa: PLR0913, PLR0917 - a request has so many sides
    edge: Edge,
    method: str,
    path: str,
    query: bytes,
    headers: dict[bytes, bytes],
    knows_the_key: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    if knows_the_key:
        headers = headers | {b"authorization": b"Bearer " + KEY.encode()}
    answer = edge.ask(method, path, query, headers.items())
    assert answer.status in {200, 304, 400, 401, 404, 405, 504}
    if answer.status not in {200, 304} and answer.body:
        assert_refused_in_shape(answer)


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_begins_with_something_good(name: str) -> None:
    TARGETS[name](SEEDS[name])


def test_the_guided_fuzzing_takes_every_target() -> None:
    [named] = re.findall(r"^FUZZ_TARGETS := (.+)$", MAKEFILE.read_text(), re.MULTILINE)
    assert named.split() == list(TARGETS)
