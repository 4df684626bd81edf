"""A round of entries: what becomes of each, and that a bad one holds up nobody."""

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from service import compression
from service.event import NotAnEventError
from service.log.entry import Entry
from service.projection import Projection
from tests.workers.notation import CUSTOMER, added, card, created, event
from tests.workers.stored import stored_documents
from workers.handlers import UnprojectableError
from workers.rounds import run

if TYPE_CHECKING:
    from tests.conftest import Store


def entry(number: int, body: bytes, *, account: str = "") -> Entry:
    return Entry(
        entry_id=f"{number}-0",
        id=f"evt_{number}",
        type="",
        account=account,
        mode="test",
        stored=compression.compress(body),
    )


def test_every_entry_comes_to_one_outcome(store: "Store") -> None:
    entries = [
        entry(1, created("A", 1)),
        entry(2, added("A", 1)),
        entry(3, event("payment_method.attached", {"id": "pm_1", "object": "payment_method"}, 1)),
        entry(4, event("customer.source.created", {"object": "card"}, 1)),
        entry(5, b"no event"),
        entry(6, event("invoice.paid", {"id": "in_1", "object": "invoice"}, 1)),
    ]
    with store.client() as client:
        projection = Projection(client)
        first = run(projection, entries)
        again = run(projection, entries[:2])
        documents = stored_documents(client)
    assert first.outcomes == Counter(applied=2, ignored=2, failed=2, unchanged=0)
    assert {number: type(error) for number, error in first.failed.items()} == {
        "4-0": UnprojectableError,
        "5-0": NotAnEventError,
    }
    assert again.outcomes == Counter(applied=0, failed=0, unchanged=2)
    assert documents[CUSTOMER][0].default == "card_A"


def test_entries_of_two_accounts_are_told_apart(store: "Store") -> None:
    mine, theirs = created("A", 1), created("B", 1)
    with store.client() as client:
        run(Projection(client), [entry(1, mine), entry(2, theirs, account="acct_1")])
        keys = sorted(
            key.decode() for key in msgspec.convert(client.keys("onfile:c:*"), list[bytes])
        )
    assert keys == [f"onfile:c:{{test::{CUSTOMER}}}", f"onfile:c:{{test:acct_1:{CUSTOMER}}}"]


def test_a_change_and_its_repetition_in_one_round_are_both_applied(store: "Store") -> None:
    body = added("A", 1)
    later = event("customer.source.updated", card("A", exp_year=2031), 2)
    with store.client() as client:
        outcomes = run(Projection(client), [entry(1, body), entry(2, body), entry(3, later)])
    assert outcomes.outcomes["applied"] == 3
