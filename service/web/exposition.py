"""The exposition: vitals as the metrics that Prometheus reads. A new metric is a line here."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from service.watch.meters import (
    ACCEPT,
    APPLY,
    DELIVERIES,
    DIFFERENCES,
    FACTS,
    JOBS,
    STRIPE,
    TIES,
    Meter,
    Timer,
)
from service.web.vitals import Node, Vitals

Rows: TypeAlias = Iterable[tuple[tuple[str, ...], float]]
"""Values of the labels, and the number."""

DELIVERED = "Deliveries answered, by outcome, and by reason where they were not kept."
ACCEPTED = "Events that ever came into the log."
ATTEMPTED = "Attempts to apply an event, repeated ones included, by outcome."
WORKED = "Jobs that ended, by what was to be done and by how."
TOLD = "Documents told of snapshots, by what these were to them: new, late, stale, repeated."
TIED = "Seconds with several snapshots of one object, by what told which is the last."
TO_200 = "From a delivery's first line to its 200: verified, in the log, on disk."
TO_ANSWERS = "From the log to the answers, for events applied at their first attempt."
FROM_STRIPE = "From Stripe's `created`, in whole seconds, to the answers."
MATCHED = "When a delivery was last signed with this webhook secret, by its place in the setting."
NEEDED = "When one was last signed with this secret and with no other that is configured."
DIFFERED = "Answers that `onfile reconcile` found to differ from Stripe's, by how."
CAUGHT_UP = "Until when `onfile catch-up` has had all of Stripe's events; the oldest namespace's."
KINDS = ("default", "order", "object")


def of_events(vitals: Vitals) -> Iterator[Metric]:
    """Yield what the store of the event log knows."""
    backlog, meters, counters = vitals.backlog, vitals.meters, vitals.counters
    oldest = 0.0 if backlog.oldest_ms is None else backlog.oldest_ms / 1000
    states = ("applied", "pending", "retrying", "failed", "discarded")
    yield _counters("deliveries", DELIVERED, DELIVERIES, meters)
    yield _timer("accept_seconds", TO_200, ACCEPT, meters)
    yield CounterMetricFamily("onfile_events_accepted", ACCEPTED, value=backlog.accepted)
    yield _gauges(  # no counters: an event that is tried again is taken back from the applied ones
        "events",
        "Events in the log, by where they stand.",
        [((state,), getattr(backlog, state)) for state in states],
        "state",
    )
    yield _gauge("oldest_pending_seconds", "Age of the oldest pending event; 0 for none.", oldest)
    yield _timer("apply_seconds", TO_ANSWERS, APPLY, meters)
    yield _timer("stripe_delay_seconds", FROM_STRIPE, STRIPE, meters)
    attempts = CounterMetricFamily("onfile_attempts", ATTEMPTED, labels=["outcome"])
    for outcome in ("applied", "unchanged", "ignored", "failed"):
        attempts.add_metric([outcome], counters.get(outcome, 0))
    yield attempts
    yield _counters("jobs", WORKED, JOBS, meters)
    yield _gauge("jobs_waiting", "Jobs in RQ's queue.", vitals.jobs_waiting)
    yield _gauge("jobs_failed", "Jobs in RQ's registry of failed ones.", vitals.jobs_failed)
    yield _gauge("workers_alive", "Workers whose heart beats.", vitals.workers)
    yield _gauge("halted", "1 while workers pause, since nearly every event fails.", vitals.halted)
    yield _counters("facts", TOLD, FACTS, meters)
    yield _counters("ties", TIED, TIES, meters)
    yield _gauge(
        "ambiguous_customers", "Customers whose answer is ambiguous.", vitals.ambiguous_customers
    )
    yield _gauges(
        "ambiguous",
        "The same by what is in doubt; one may be so in several ways.",
        [((kind,), counters.get(f"doubts:{kind}", 0)) for kind in KINDS],
        "what",
    )
    yield _counters("differences", DIFFERED, DIFFERENCES, meters)
    if vitals.caught_up:
        yield _gauge("caught_up_timestamp_seconds", CAUGHT_UP, vitals.caught_up)
    known = [secret for secret in vitals.secrets if secret.configured]
    for name, meaning, moments in (
        ("matched", MATCHED, [(secret.position, secret.matched) for secret in known]),
        ("needed", NEEDED, [(secret.position, secret.needed) for secret in known]),
    ):
        rows = [((str(place),), moment) for place, moment in moments if moment is not None]
        yield _gauges(f"webhook_secret_{name}_timestamp_seconds", meaning, rows, "secret")


def of_stores(up: dict[str, bool], nodes: list[Node]) -> Iterator[Metric]:
    """Yield whether the stores answer, and how their nodes are."""
    reached = [((store,), answers) for store, answers in up.items()]
    yield _gauges("store_up", "Whether the store answers.", reached, "store")
    for name, meaning, numbers in (
        ("used_bytes", "Memory used.", [node.used for node in nodes]),
        ("limit_bytes", "Where it takes no more; 0: no limit.", [node.limit for node in nodes]),
        ("machine_bytes", "All memory of its machine.", [node.machine for node in nodes]),
        ("writes_ok", "Whether the last write to disk succeeded.", [n.writes_ok for n in nodes]),
        (
            "durable",
            "1 if what is acknowledged is known to be on disk and never evicted.",
            [node.durable for node in nodes],
        ),
    ):
        rows = [
            ((node.store, node.name), number)
            for node, number in zip(nodes, numbers, strict=True)
            if number is not None
        ]
        yield _gauges(f"store_{name}", meaning, rows, "store", "node")


def _counters(name: str, meaning: str, meter: Meter, fields: dict[str, int]) -> Metric:
    family = CounterMetricFamily(f"onfile_{name}", meaning, labels=meter.labels)
    for values, number in meter.read(fields):
        family.add_metric(values, number)
    return family


def _timer(name: str, meaning: str, timer: Timer, fields: dict[str, int]) -> Metric:
    buckets, total = timer.read(fields)
    return HistogramMetricFamily(f"onfile_{name}", meaning, buckets=buckets, sum_value=total)


def _gauges(name: str, meaning: str, rows: Rows, *labels: str) -> Metric:
    family = GaugeMetricFamily(f"onfile_{name}", meaning, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _gauge(name: str, meaning: str, number: float) -> Metric:
    return GaugeMetricFamily(f"onfile_{name}", meaning, value=number)
