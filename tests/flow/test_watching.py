"""What Prometheus would see of events on their way through real processes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from tests.flow.conftest import Service

KEY = "metrics_0123456789abcdef"
EXAMPLES = Path(__file__).parents[1] / "data" / "examples" / "customer_with_card.jsonl"


def samples(service: "Service") -> dict[tuple[str, ...], float]:
    """Return the numbers of /metrics by name, and values of the labels in their names' order."""
    reply = service.ask("/metrics", Authorization=f"Bearer {KEY}")
    families = text_string_to_metric_families(reply.body.decode())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_every_step_of_an_event_is_seen(service: "Service", eventually: Callable[..., Any]) -> None:
    elsewhere = {"ONFILE_PROJECTION_URL": f"{service.store.url.removesuffix('/0')}/1"}
    service.web(ONFILE_METRICS_KEY=KEY, **elsewhere)
    service.worker(**elsewhere)
    events = [json.loads(line) for line in EXAMPLES.read_text().splitlines()]
    for event in [*events, events[0]]:
        assert service.deliver(event).status == 200
    eventually(lambda: samples(service)["onfile_events", "applied"] == len(events))
    eventually(lambda: samples(service)["onfile_accept_seconds_count",] == len(events) + 1)
    eventually(lambda: samples(service)["onfile_jobs_total", "done", "drain"] >= 1)
    told = samples(service)
    assert told["onfile_deliveries_total", "accepted", ""] == len(events)
    assert told["onfile_deliveries_total", "duplicate", ""] == 1
    assert told["onfile_apply_seconds_count",] == len(events)
    assert told["onfile_stripe_delay_seconds_bucket", "+Inf"] == len(events)
    assert told["onfile_facts_total", "new"] > 0
    assert told["onfile_attempts_total", "applied"] == len(events)
    assert told["onfile_workers_alive",] == 1
    assert told["onfile_store_up", "projection"] == told["onfile_store_up", "events"] == 1
    assert told["onfile_store_durable", "", "projection"] == 1
    assert told["onfile_webhook_secret_matched_timestamp_seconds", "1"] > 0
    assert told["onfile_oldest_pending_seconds",] == told["onfile_jobs_failed",] == 0
