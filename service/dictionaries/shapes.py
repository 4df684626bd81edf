"""The shapes of real events, read from the payloads under tests/data."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

RECORDED = "recorded/customer_source_1/events.json"

OTHER_OBJECTS = ("account.", "customer.subscription", "customer.discount")
"""Captured events that are never stored."""


def recorded(data: Path) -> Iterator[Json]:
    """Yield one recorded sequence of events."""
    yield from json.loads((data / RECORDED).read_text())["events"]


def captured(data: Path) -> Iterator[Json]:
    """Yield the events of a mock server's fixtures, today's and those before 2015."""
    for folder in ("webhook_fixtures", "webhook_fixtures_legacy"):
        for file in sorted((data / folder).glob("*.json")):
            if not file.name.startswith(OTHER_OBJECTS):
                yield json.loads(file.read_text())


def composed(data: Path) -> Iterator[Json]:
    """Yield events around the objects in Stripe's own specification."""
    resources = json.loads((data / "openapi" / "fixtures3.subset.json").read_text())["resources"]
    sources = [resources["source"], *_sources_of_all_kinds(resources["source"])]
    owned = [resources["card"], resources["bank_account"], *sources]
    for family, subjects, changes in (
        ("customer", [resources["customer"]], ("created", "updated", "deleted")),
        ("customer.source", owned, ("created", "updated", "deleted", "expiring")),
        ("source", sources, ("chargeable", "canceled", "failed")),
        ("payment_method", [resources["payment_method"]], ("attached", "updated", "detached")),
    ):
        for subject in subjects:
            for change in changes:
                yield _event(f"{family}.{change}", subject)


def _sources_of_all_kinds(source: Json) -> Iterator[Json]:
    shared = {key: source[key] for key in source.keys() - {"receiver", source["type"]}}
    for kind, details in _DETAILS.items():
        own = {"customer": "cus_QXg1o8vcGmoR32", "flow": "none", "type": kind, kind: details}
        yield {**shared, **own}


def _event(event_type: str, subject: Json) -> Json:
    """Wrap an object as Stripe does: id and object first, the rest by name."""
    first = {"id": subject["id"], "object": subject["object"]}
    data: Json = {"object": {**first, **dict(sorted(subject.items()))}}
    if event_type.endswith("updated"):
        data["previous_attributes"] = {"exp_month": 3, "metadata": {"order_id": None}}
    return {
        "id": "evt_1Pgc76B7WZ01zgkWwyRHS12y",
        "object": "event",
        "api_version": "2020-08-27",
        "created": 1652289172,
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {
            "id": "req_0NqkYEMVoPBkVn",
            "idempotency_key": "381c7773-97ac-4c18-8fbe-e8bff5e6bbad",
        },
        "type": event_type,
    }


_DETAILS: dict[str, Json] = {
    "card": {
        "exp_month": 8,
        "exp_year": 2030,
        "last4": "4242",
        "country": "US",
        "brand": "Visa",
        "address_line1_check": None,
        "address_zip_check": None,
        "cvc_check": "pass",
        "funding": "credit",
        "fingerprint": "AOB934RVNwzk6xtn",
        "three_d_secure": "optional",
        "name": None,
        "tokenization_method": None,
        "dynamic_last4": None,
    },
    "sepa_debit": {
        "bank_code": "37040044",
        "branch_code": "",
        "country": "DE",
        "fingerprint": "AOB934RVNwzk6xtn",
        "last4": "3000",
        "mandate_reference": "NXDSYREGC9PSMKWY",
        "mandate_url": "https://hooks.stripe.com/adapter/sepa_debit/file/src_1/src_client_secret_1",
    },
    "ach_debit": {
        "bank_name": "STRIPE TEST BANK",
        "country": "US",
        "fingerprint": "AOB934RVNwzk6xtn",
        "last4": "6789",
        "routing_number": "110000000",
        "type": "individual",
    },
    "alipay": {"statement_descriptor": None, "native_url": None, "data_string": None},
    "three_d_secure": {
        "card": "src_1Pgc75B7WZ01zgkWn9ogkWOr",
        "customer": "cus_QXg1o8vcGmoR32",
        "authenticated": False,
    },
}
"""What is particular to each kind of Source: the specification shows one kind only."""
