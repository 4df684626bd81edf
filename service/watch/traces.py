"""Traces: each event's way from its delivery to its commit, where an exporter is configured.

OpenTelemetry's own variables configure it (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER, …);
without an endpoint nothing of it is even imported.
"""

import functools
import os
from importlib import import_module
from typing import NamedTuple, Protocol

import structlog

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

log = structlog.get_logger()


class Step(NamedTuple):
    """One step of an event's way; times in unix seconds."""

    name: str
    event_id: str
    began: float
    ended: float
    outcome: str


class Exporter(Protocol):
    """What tells a collector."""

    def tell(self, step: Step) -> None:
        """Tell of a step, later and in the background."""


@functools.cache
def exporter(process: str) -> Exporter | None:
    """Return what to tell steps to; None when nobody listens. `process` is web or worker."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    try:
        exporter: Exporter = import_module("service.watch.otlp").OtlpExporter(process)
    except ImportError:
        log.warning("traces.off", advice="install onfile[otel], or unset OTEL_EXPORTER_OTLP_…")
        return None
    return exporter
