"""Traces as OpenTelemetry tells them; imported only where an endpoint is configured (traces.py).

Web and workers carry no context to each other: a trace's id is made of the event's, so that both
tell of the same one, and a sampler by ratio keeps or leaves it whole.
"""

import hashlib

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from service.watch.traces import Step

NANOSECONDS = 1_000_000_000
TRACE_ID_BYTES, SPAN_ID_BYTES = 16, 8


class OtlpExporter:
    """Tells a collector over HTTP, from a thread of its own, and the rest when the process ends."""

    def __init__(self, process: str) -> None:
        provider = TracerProvider(resource=Resource.create({"service.name": f"onfile-{process}"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = provider.get_tracer("onfile")

    def tell(self, step: Step) -> None:
        """Tell of a step, later and in the background."""
        span = self._tracer.start_span(
            step.name,
            trace.set_span_in_context(_way_of(step.event_id)),
            attributes={"onfile.event": step.event_id, "onfile.outcome": step.outcome},
            start_time=int(step.began * NANOSECONDS),
        )
        span.end(int(step.ended * NANOSECONDS))


def _way_of(event_id: str) -> trace.Span:
    """Return the span, told by nobody, under which all steps of an event stand."""
    return trace.NonRecordingSpan(
        trace.SpanContext(
            trace_id=_number(event_id, TRACE_ID_BYTES),
            span_id=_number(event_id, SPAN_ID_BYTES),
            is_remote=True,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )
    )


def _number(event_id: str, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(event_id.encode(), digest_size=size).digest())
