"""GET /metrics, read by Prometheus's own parser."""

from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.keys import CATCH_UPS, COUNTERS, HALT, METERS, SECRETS
from service.watch.meters import ACCEPT, DELIVERIES, DIFFERENCES
from service.web.webhook import MESSAGES

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.conftest import Store
    from tests.service.web.conftest import Web


def scrape(web: "Web") -> dict[str, float]:
    """Return every sample by its name and labels."""
    reply = web.ask("/metrics", web.metrics_key)
    assert reply.status == 200
    return {
        f"{sample.name}{{{','.join(f'{k}={v}' for k, v in sorted(sample.labels.items()))}}}": (
            sample.value
        )
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize(
    "key", ["", "metrics_0123456789abcdeX", "sk_test_4eC39HqLyjWDarjtT1zdp7dc"]
)
def test_without_its_key_nobody_reads_it(web: "Web", key: str) -> None:
    reply = web.ask("/metrics", key)
    assert reply.status == 401
    assert "ONFILE_METRICS_KEY" in reply.error["message"]
    assert b"onfile_" not in reply.body


def test_the_metrics_key_answers_no_query(web: "Web") -> None:
    assert web.ask("/v1/customers/cus_1", web.metrics_key).status == 401


def test_an_idle_service_says_that_nothing_happened(web: "Web") -> None:
    told = scrape(web)
    assert told["onfile_events_accepted_total{}"] == 0
    assert told["onfile_store_up{store=events}"] == 1
    assert told["onfile_store_durable{node=,store=events}"] == 1
    assert told["onfile_workers_alive{}"] == told["onfile_halted{}"] == 0
    assert told["onfile_store_used_bytes{node=,store=events}"] > 0
    assert told["onfile_accept_seconds_bucket{le=+Inf}"] == 0
    assert told["process_resident_memory_bytes{}"] > 0


def test_it_tells_what_the_store_counted(web: "Web") -> None:
    with web.store.client() as client:
        client.hset(COUNTERS, mapping={"accepted": 7, "settled": 5, "doubts:order": 2, "failed": 3})
        client.hset(METERS, DELIVERIES.field("refused", "too_large"), 4)
        client.hset(METERS, ACCEPT.field(0.02), 6)
        client.hset(METERS, ACCEPT.sum_field, 120_000)
        client.hset(SECRETS, mapping={"0a1b seen": 50, "0a1b position": 1, "0a1b matched": 40})
        client.hset(METERS, DIFFERENCES.field("stale"), 3)
        client.hset(CATCH_UPS, mapping={"live:": b'{"until": 90}', "test:": b'{"until": 60}'})
        client.set(HALT, b"{}")
    told = scrape(web)
    assert told["onfile_events_accepted_total{}"] == 7
    assert told["onfile_events{state=applied}"] == 5
    assert told["onfile_attempts_total{outcome=failed}"] == 3
    assert told["onfile_deliveries_total{outcome=refused,reason=too_large}"] == 4
    assert told["onfile_accept_seconds_bucket{le=0.01}"] == 0
    assert told["onfile_accept_seconds_bucket{le=0.025}"] == 6
    assert told["onfile_accept_seconds_count{}"] == 6
    assert told["onfile_accept_seconds_sum{}"] == 0.12
    assert told["onfile_ambiguous{what=order}"] == 2
    assert told["onfile_webhook_secret_matched_timestamp_seconds{secret=1}"] == 40
    assert told["onfile_differences_total{kind=stale}"] == 3
    assert told["onfile_caught_up_timestamp_seconds{}"] == 60
    assert told["onfile_halted{}"] == 1


def test_a_delivery_is_counted_by_outcome_and_reason_and_by_nothing_of_its_sender(
    own_store: "Store", serving: "Callable[[Store], AbstractContextManager[Web]]"
) -> None:
    with serving(own_store) as web:
        web.deliver(b'{"id": "evt_1", "object": "event", "type": "charge.succeeded"}')
        web.deliver(b"no event at all")
        web.ask("/webhooks/stripe", "", method="POST", body=b"{}")
    with own_store.client(decode_responses=True) as client:  # the end of the web wrote its notes
        counted = {f: int(n) for f, n in client.hgetall(METERS).items()}
    assert counted == {
        DELIVERIES.field("ignored", ""): 1,
        DELIVERIES.field("refused", "not_json"): 1,
        DELIVERIES.field("refused", "missing_header"): 1,
    }
    assert {"not_json", "missing_header"} <= MESSAGES.keys()


def test_a_store_that_is_away_is_told_and_does_not_take_metrics_along(
    own_store: "Store", serving: "Callable[[Store], AbstractContextManager[Web]]"
) -> None:
    with serving(own_store) as web:
        own_store.kill()
        told = scrape(web)
        assert told["onfile_store_up{store=events}"] == 0
        assert "onfile_events_accepted_total{}" not in told
        own_store.start()
        assert scrape(web)["onfile_store_up{store=events}"] == 1


def test_openmetrics_is_given_to_who_asks_for_it(web: "Web") -> None:
    reply = web.ask("/metrics", web.metrics_key, Accept="application/openmetrics-text")
    assert str(reply.headers["Content-Type"]).startswith("application/openmetrics-text")
    assert reply.body.endswith(b"# EOF\n")
