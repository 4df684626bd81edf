"""Whether anybody is told of traces."""

import sys
from collections.abc import Iterator

import pytest

from service.watch import traces


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Look anew in every test, and in the next ones."""
    for name in traces.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    traces.exporter.cache_clear()
    yield
    traces.exporter.cache_clear()


def test_without_an_endpoint_nobody_is_told() -> None:
    assert traces.exporter("web") is None


def test_an_endpoint_without_the_library_is_said_and_harms_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.delitem(sys.modules, "service.watch.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert traces.exporter("web") is None
    assert "traces.off" in capsys.readouterr().out
