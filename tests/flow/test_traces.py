"""Traces, as a collector gets them from real processes."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from tests.flow.conftest import Service

EXAMPLES = Path(__file__).parents[1] / "data" / "examples" / "customer_with_card.jsonl"


class Collector(ThreadingHTTPServer):
    """Takes traces over HTTP, as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Take)
        self.spans: list[tuple[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Take(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        told = ExportTraceServiceRequest.FromString(body)
        for of_process in told.resource_spans:
            names = {a.key: a.value.string_value for a in of_process.resource.attributes}
            for scope in of_process.scope_spans:
                self.server.spans += [(names["service.name"], span) for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


def test_an_event_s_way_is_one_trace_from_its_delivery_to_its_commit(
    service: "Service", collector: Collector, eventually: Callable[..., Any]
) -> None:
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    service.web(**told)
    service.worker(**told)
    event = json.loads(EXAMPLES.read_text().splitlines()[0])
    assert service.deliver(event).status == 200
    eventually(lambda: len(collector.spans) == 3)
    spans = {(process, span.name): span for process, span in collector.spans}
    assert set(spans) == {
        ("onfile-web", "delivery"),
        ("onfile-worker", "pending"),
        ("onfile-worker", "apply"),
    }
    assert len({(span.trace_id, span.parent_span_id) for span in spans.values()}) == 1
    delivery, apply = spans["onfile-web", "delivery"], spans["onfile-worker", "apply"]
    assert delivery.start_time_unix_nano < apply.start_time_unix_nano < apply.end_time_unix_nano
    attributes = {a.key: a.value.string_value for a in apply.attributes}
    assert attributes == {"onfile.event": event["id"], "onfile.outcome": "applied"}
