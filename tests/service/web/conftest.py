"""The web application on a real port, over a real store that holds what the test planted."""

import base64
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import uvicorn

from service.documents import CustomerAnswer, ListedSource, SourceAnswer, encode_document
from service.keys import Namespace, customer_key, source_key
from service.settings import Settings
from service.signature import sign
from service.timeline import Change, Teller, Timeline
from service.web import wrong_keys
from service.web.app import create_app

if TYPE_CHECKING:
    from tests.conftest import Store

TEST_KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
METRICS_KEY = "metrics_0123456789abcdef"
OTHER_TEST_KEY = "rk_test_9dK21aQmzBvLrTyPo0aX"
LIVE_KEY = "sk_live_51H8xMnOpQrStUvWxYz0"
WEBHOOK_SECRET = "whsec_for_tests"
TEST = Namespace("", "test")
NOON = 1_700_000_000
START_SECONDS = 10


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, str]:
        """The inner part of Stripe's error shape; the reply must be nothing else."""
        assert list(self.json) == ["error"]
        return dict(self.json["error"])


class Web:
    """A running application: plant documents in its store, ask it over HTTP."""

    test_key = TEST_KEY
    other_test_key = OTHER_TEST_KEY
    live_key = LIVE_KEY
    metrics_key = METRICS_KEY

    def __init__(
        self, store: "Store", port: int, timelines: dict[tuple[Namespace, str], Timeline]
    ) -> None:
        self.store = store
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.timelines = timelines

    def ask(
        self,
        path: str,
        key: str = TEST_KEY,
        *,
        method: str = "GET",
        body: bytes | None = None,
        account: str = "",
        **headers: str,
    ) -> Reply:
        """Ask with this key (none when empty); headers are given as `If_None_Match=…`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if account:
            sent["Stripe-Account"] = account
        if key:
            sent.setdefault("Authorization", f"Bearer {key}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def deliver(self, event: bytes) -> Reply:
        """Deliver an event as Stripe does."""
        signature = sign(event, WEBHOOK_SECRET, now=time.time())
        return self.ask(
            "/webhooks/stripe", "", method="POST", body=event, Stripe_Signature=signature
        )

    def plant_customer(  # noqa: PLR0913 - a document has so many sides
        self,
        customer_id: str,
        *sources: ListedSource,
        default: str = "",
        body: bytes = b"",
        deleted: bool = False,
        basis: str = "confirmed",
        ambiguous: Sequence[str] = (),
        event: str = "evt_1",
        second: int = NOON,
        namespace: Namespace = TEST,
    ) -> None:
        shown = {"id": customer_id, "object": "customer", "default_source": default or None}
        answer = CustomerAnswer(
            body=body or json.dumps(shown).encode(),
            deleted=deleted,
            default=default,
            basis=basis,
            sources=list(sources),
            second=second,
            event=event,
            ambiguous=list(ambiguous),
        )
        self._plant(customer_key(namespace, customer_id), encode_document(1, answer, b"facts"))

    def plant_source(  # noqa: PLR0913 - likewise
        self,
        source_id: str,
        *,
        kind: str = "source",
        body: bytes | None = None,
        owner: str = "",
        gone: bool = False,
        decided: bool = True,
        namespace: Namespace = TEST,
    ) -> None:
        shown = {"id": source_id, "object": kind, "client_secret": f"{source_id}_secret_x"}
        answer = SourceAnswer(
            body=json.dumps(shown).encode() if body is None else body,
            kind=kind,
            owner=owner,
            gone=gone,
            second=NOON,
            event="evt_2",
            decided=decided,
        )
        self._plant(source_key(namespace, source_id), encode_document(1, answer, b"facts"))

    def plant_timeline(
        self, customer_id: str, changes: int, *, namespace: Namespace = TEST
    ) -> None:
        """Plant the adding of so many cards, a second apart."""
        self.timelines[namespace, customer_id] = Timeline(
            customer=customer_id,
            account=namespace.account,
            mode=namespace.mode,
            deleted=False,
            default_source=None,
            basis="confirmed",
            rule="shown",
            why="so it is shown",
            between=[],
            whole=True,
            agrees=True,
            changes=[
                Change(
                    id=f"change_{NOON + number}_0",
                    type="source.added",
                    created=NOON + number,
                    source=f"card_{number}",
                    default_source=None,
                    previous_default_source=None,
                    basis="confirmed",
                    through="event",
                    events=[Teller("evt_1", "customer.source.created", NOON, None, NOON)],
                )
                for number in range(changes)
            ],
        )

    def _plant(self, key: str, value: bytes) -> None:
        with self.store.client() as client:
            client.set(key, value)


def listed(source_id: str, kind: str = "card") -> ListedSource:
    body = json.dumps({"id": source_id, "object": kind, "last4": "4242"}).encode()
    return ListedSource(source_id, kind, body)


@contextmanager
def serve(store: "Store") -> Iterator[Web]:
    """Serve the application on a port of its own until the block is left."""
    timelines: dict[tuple[Namespace, str], Timeline] = {}
    app = create_app(
        Settings(
            redis_url=store.url,
            webhook_secrets=(WEBHOOK_SECRET,),
            api_keys=(TEST_KEY, LIVE_KEY, OTHER_TEST_KEY),
            metrics_key=METRICS_KEY,
        ),
        lambda namespace, customer: timelines.get((namespace, customer)),
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up = time.monotonic() + START_SECONDS
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < give_up, "the server did not start in time"
        time.sleep(0.005)
    try:
        yield Web(store, server.servers[0].sockets[0].getsockname()[1], timelines)
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        assert not thread.is_alive(), "the server did not stop"


@pytest.fixture(scope="session")
def session_web(session_store: "Store") -> Iterator[Web]:
    with serve(session_store) as web:
        yield web


@pytest.fixture
def web(session_web: Web, store: "Store") -> Web:  # noqa: ARG001 - emptied for this test
    session_web.timelines.clear()
    return session_web


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests ask from one address: the wrong keys of one shall not slow down the next."""
    monkeypatch.setattr(wrong_keys, "FIRST_PAUSE_SECONDS", 0.0)


@pytest.fixture
def serving() -> "Callable[[Store], AbstractContextManager[Web]]":
    """Serve over a store that the test may kill."""
    return serve


@pytest.fixture
def a_source() -> Callable[..., ListedSource]:
    return listed


@pytest.fixture
def basic() -> Callable[[str], str]:
    """Return an Authorization header as `curl -u` sends it."""
    return lambda pair: "Basic " + base64.b64encode(pair.encode()).decode()
