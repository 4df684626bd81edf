"""The recorded operations, done again here, tell what Stripe told: type by type, key by key."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from service.sandbox.clock import ManualClock
from service.sandbox.stripe import Stripe

RECORDED = Path(__file__).parents[2] / "data" / "recorded" / "customer_source_1"
NOT_OURS = "charge."
"""Charging is no business of the sandbox; as the recording shows it changes no source."""

MADE_UP = re.compile(
    r"(?P<prefix>evt|req|cus|src_client_secret|src)_[A-Za-z0-9]{14,}"
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
SOURCE = {
    "type": "card",
    "currency": "USD",
    "card": {"number": "4242424242424242", "cvc": "123", "exp_month": "03", "exp_year": "2030"},
    "owner": {"email": "example@example.com"},
}


def recorded() -> list[dict[str, Any]]:
    events = json.loads((RECORDED / "events.json").read_bytes())["events"]
    return [event for event in events if not event["type"].startswith(NOT_OURS)]


def numbered(events: list[dict[str, Any]]) -> list[Any]:
    """Return events with ids, secrets, fingerprints and seconds numbered in order of appearance."""
    names: dict[str, str] = {}

    def name(kind: str, value: Any) -> str:
        return names.setdefault(f"{kind} {value}", f"{kind} {len(names)}")

    def walk(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {inner: walk(each, inner) for inner, each in value.items()}
        if isinstance(value, list):
            return [walk(each) for each in value]
        if key == "created":
            return name("second", value)
        if key in {"fingerprint", "invoice_prefix"}:
            return name(key, value)
        if isinstance(value, str) and (made := MADE_UP.fullmatch(value)):
            return name(made["prefix"] or "idempotency key", value)
        return value

    return [walk(event) for event in events]


class Repeated:
    """What was done when the recording was made, done again."""

    def __init__(self, account: Stripe, clock: ManualClock) -> None:
        self.account = account
        self.clock = clock
        self.states: list[Any] = []
        self.customers: list[str] = []
        self.sources: list[str] = []
        self._keys = iter(f"00000000-0000-4000-8000-{number:012}" for number in range(100))

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.account.events

    def do(self, method: str, path: str, parameters: Any = None) -> str:
        self.clock.advance(12)
        answer = self.account.call(method, path, parameters, idempotency_key=next(self._keys))
        assert answer.status == 200, answer.body
        self._read()
        return str(answer.body["id"])

    def everything(self) -> None:
        for name, tid in (("C1 Source Test", "c1"), ("C2 Source Test", "c_2")):
            given = {"name": name, "metadata": {"tid": tid}}
            self.customers.append(self.do("POST", "/v1/customers", given))
        first, third = self.sources = [self.do("POST", "/v1/sources", SOURCE) for _ in range(3)][
            ::2
        ]
        one, two = self.customers
        self.do("POST", f"/v1/customers/{two}/sources", {"source": third})
        silent = {"card": {"exp_month": "04", "exp_year": "2040"}, "metadata": {"update": "S1 U1"}}
        self.do("POST", f"/v1/sources/{first}", silent)
        self.do("POST", f"/v1/customers/{one}", {"source": first})
        metadata = {"update_src": "S1 U2"}
        silent = {"card": {"exp_month": "05", "exp_year": "2050"}, "metadata": metadata}
        self.do("POST", f"/v1/sources/{first}", silent)
        for source, month, year, text in (
            (first, 5, 2060, "S1 U1 as a PaymentMethod."),
            (third, 3, 2033, "S3 U1 as a PaymentMethod."),
        ):
            card = {"exp_month": month, "exp_year": year}
            parameters = {"card": card, "metadata": {"update_pm": text}}
            self.do("POST", f"/v1/payment_methods/{source}", parameters)
        self.do("DELETE", f"/v1/customers/{one}/sources/{first}")
        self.do("DELETE", f"/v1/customers/{two}/sources/{third}")
        for customer in self.customers:
            self.do("DELETE", f"/v1/customers/{customer}")

    def _read(self) -> None:
        """Keep what Stripe's API answers at this moment, as the recorder did."""
        customers = self.account.call("GET", "/v1/customers").body["data"]
        lists = [
            self.account.call("GET", f"/v1/customers/{each['id']}/sources") for each in customers
        ]
        sources = [source for each in lists for source in each.body["data"]]
        self.states.append({"customers": customers, "sources": sources})


@pytest.fixture
def repetition(account: Stripe, clock: ManualClock) -> Repeated:
    again = Repeated(account, clock)
    again.everything()
    return again


@pytest.fixture
def repeated(repetition: Repeated) -> list[dict[str, Any]]:
    return repetition.events


def told_apart(states: list[Any], ids: list[str]) -> list[Any]:
    """Return each new state in the recorder's columns, ids and made-up values aside."""
    known = dict(zip(ids, ("c1", "c2", "s1", "s3"), strict=True))
    kept = {
        "customers": ("id", "name", "default_source", "metadata", "livemode"),
        "sources": (
            *("id", "type", "customer", "status", "metadata", "card", "owner"),
            *("currency", "flow", "usage"),
        ),
    }

    def cut(row: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
        row = {
            key: known.get(row[key], row[key]) if isinstance(row[key], str) else row[key]
            for key in columns
        }
        if "card" in row:
            row["card"] = row["card"] | {"fingerprint": ""}
        return row | {"metadata": row["metadata"] or {}}

    cut_states = [
        {
            kind: sorted((cut(row, columns) for row in state[kind]), key=lambda row: str(row["id"]))
            for kind, columns in kept.items()
        }
        for state in states
    ]
    return [
        state
        for state, before in zip(cut_states, [None, *cut_states], strict=False)
        if state != before
    ]


def test_the_same_types_come_in_the_same_order(repeated: list[dict[str, Any]]) -> None:
    assert [event["type"] for event in repeated] == [event["type"] for event in recorded()]


def test_every_event_is_the_recorded_one_but_for_made_up_values(
    repeated: list[dict[str, Any]],
) -> None:
    for mine, theirs in zip(numbered(repeated), numbered(recorded()), strict=True):
        assert mine == theirs


def test_the_keys_stand_in_the_recorded_order(repeated: list[dict[str, Any]]) -> None:
    def order(value: Any) -> Any:
        if isinstance(value, dict):
            return [(key, order(each)) for key, each in value.items()]
        return None

    for mine, theirs in zip(repeated, recorded(), strict=True):
        assert order(mine) == order(theirs), mine["type"]


def test_made_up_values_have_the_recorded_form(repeated: list[dict[str, Any]]) -> None:
    def forms(value: Any) -> list[str]:
        texts = re.findall(r"(?:evt|req|cus|src_client_secret|src)_\w+", json.dumps(value))
        return [
            re.sub(r"(?<=_)[A-Za-z0-9]+$", lambda tail: str(len(tail[0])), each) for each in texts
        ]

    assert forms(repeated) == forms(recorded())


def test_what_is_read_after_each_step_is_what_the_recorder_read(repetition: Repeated) -> None:
    states = json.loads((RECORDED / "states.json").read_bytes())
    theirs = ("cus_LfeOZiPebkgzCD", "cus_LfeOtnkpsbxoDl")
    sources = ("src_1KyJ69JgUOch852BVNs9tvPa", "src_1KyJ6XJgUOch852BzcSEJUed")
    empty: list[Any] = [{"customers": [], "sources": []}]
    mine = told_apart(empty + repetition.states, [*repetition.customers, *repetition.sources])
    assert mine == told_apart(states, [*theirs, *sources])
