"""One source in two views: what one says and the other does not is laid over it, and no more."""

import json
from typing import Any

import pytest

from tests.workers.fold import Fold, facts_told
from tests.workers.notation import CUSTOMER, card, event, source_id

CARD = source_id("A")
SOURCE = source_id("S", "source")
BANK = source_id("K", "bank_account")


def view(subject: str, **more: Any) -> dict[str, Any]:
    return {"id": subject, "object": "payment_method", "customer": CUSTOMER} | more


def source(**more: Any) -> dict[str, Any]:
    fields = {"id": SOURCE, "object": "source", "customer": CUSTOMER, "status": "chargeable"}
    return fields | more


def served(subject: str, *bodies: bytes) -> dict[str, Any]:
    answer = Fold(facts_told(body) for body in bodies).source(subject)
    assert answer.decided
    shown: dict[str, Any] = json.loads(answer.body)
    return shown


def test_metadata_is_laid_over_key_by_key_and_whole() -> None:
    shown = served(
        CARD,
        event("customer.source.created", card("A", metadata={"k": "1"}), 1),
        event("payment_method.updated", view(CARD, metadata={"l": "2"}), 2),
    )
    assert shown == card("A", metadata={"l": "2"})


def test_a_later_own_event_outranks_an_earlier_second_view() -> None:
    shown = served(
        CARD,
        event("payment_method.updated", view(CARD, metadata={"l": "2"}), 2),
        event("customer.source.updated", card("A", metadata={"k": "3"}), 3),
    )
    assert shown["metadata"] == {"k": "3"}


def test_a_new_number_that_only_the_second_view_tells_is_shown() -> None:
    old = {"exp_month": 1, "exp_year": 2030, "fingerprint": "old", "last4": "4242"}
    new = {"exp_month": 2, "exp_year": 2035, "fingerprint": "new", "last4": "1881"}
    renewed = "payment_method.automatically_updated"
    assert served(
        CARD,
        event("customer.source.created", card("A", **old), 1),
        event(renewed, view(CARD, card=new), 2),
    ) == card("A", **new)
    assert served(
        SOURCE,
        event("customer.source.created", source(card=old), 1),
        event(renewed, view(SOURCE, card=new), 2),
    ) == source(card=new)


def test_a_card_shows_its_owner_flat_and_a_source_shows_it_inside() -> None:
    details = {
        "name": "n",
        "email": "e@example.com",
        "phone": None,
        "address": {"city": "c", "line1": None, "postal_code": "1"},
    }
    shown = served(
        CARD,
        event("customer.source.created", card("A", name=None, address_zip=None), 1),
        event("payment_method.updated", view(CARD, billing_details=details), 2),
    )
    assert shown == card("A", name="n", address_zip="1", address_city="c")
    shown = served(
        SOURCE,
        event("customer.source.created", source(owner={"name": None, "address": None}), 1),
        event("payment_method.updated", view(SOURCE, billing_details=details), 2),
    )
    parts = ("city", "country", "line1", "line2", "postal_code", "state")
    assert shown["owner"] == {
        "name": "n",
        "email": "e@example.com",
        "address": dict.fromkeys(parts) | {"city": "c", "postal_code": "1"},
    }, "where there was no address, one comes whole"


def test_expiry_stands_flat_in_a_card_and_inside_a_source() -> None:
    later = {"exp_month": 2, "exp_year": 2031}
    shown = served(
        SOURCE,
        event("customer.source.created", source(card={"exp_month": 1, "last4": "4242"}), 1),
        event("payment_method.updated", view(SOURCE, card=later), 2),
    )
    assert shown["card"] == {"exp_month": 2, "exp_year": 2031, "last4": "4242"}


def test_what_a_view_does_not_show_is_left_alone_and_what_it_shows_as_null_is_taken() -> None:
    created = event("customer.source.created", card("A", name="n", metadata={"k": "1"}), 1)
    assert served(CARD, created, event("payment_method.updated", view(CARD), 2)) == card(
        "A", name="n", metadata={"k": "1"}
    )
    nulls = view(CARD, billing_details={"name": None}, metadata={})
    shown = served(CARD, created, event("payment_method.updated", nulls, 2))
    assert (shown["name"], shown["metadata"]) == (None, {})


def test_a_value_that_does_not_differ_leaves_the_bytes_as_stripe_sent_them() -> None:
    created = event("customer.source.created", card("A") | {"ratio": 1.50, "z": None}, 1)
    fold = Fold(
        facts_told(body)
        for body in (created, event("payment_method.updated", view(CARD, metadata={}), 2))
    )
    (record,) = fold.sources[CARD].facts.snapshots[1].values()
    assert fold.source(CARD).body == record.object


def test_numbers_beside_what_is_laid_over_stay_as_they_were_written() -> None:
    body = event("customer.source.created", card("A", owner={}), 1)
    body = body.replace(b'"owner":{}', b'"owner":{},"ratio":1.50,"big":123456789012345678901')
    later = event("payment_method.updated", view(CARD, metadata={"k": "1"}), 2)
    fold = Fold(facts_told(told) for told in (body, later))
    assert b'"ratio":1.50,"big":123456789012345678901' in fold.source(CARD).body


def test_a_second_view_alone_serves_nothing_and_counts_for_the_default() -> None:
    fold = Fold([facts_told(event("payment_method.attached", view(CARD), 2))])
    answer = fold.source(CARD)
    assert (answer.body, answer.owner, answer.second) == (b"", CUSTOMER, 2)
    assert fold.customer(CUSTOMER).default == CARD
    assert fold.customer(CUSTOMER).sources == []


def test_a_bank_account_has_no_second_view() -> None:
    bank = {"id": BANK, "object": "bank_account", "customer": CUSTOMER, "metadata": {}}
    shown = served(
        BANK,
        event("customer.source.created", bank, 1),
        event("payment_method.updated", view(BANK, metadata={"k": "1"}), 2),
    )
    assert shown == bank


def test_shared_values_are_cut_to_the_two_greatest_seconds_of_both_views() -> None:
    """Own snapshots of seconds 1 and 2 are kept; the walk of second 5 began where 4 ended."""
    old = [
        event("customer.source.created", card("A", exp_year=2030), 1),
        event("customer.source.updated", card("A", exp_year=2031), 2),
    ]
    later = [
        event("payment_method.updated", view(CARD, card={"exp_year": 2030}), 4),
        event(
            "payment_method.updated",
            view(CARD, card={"exp_year": 2031}),
            5,
            previous={"card": {"exp_year": 2030}},
        ),
        event(
            "payment_method.updated",
            view(CARD, card={"exp_year": 2030}),
            5,
            previous={"card": {"exp_year": 2031}},
        ),
    ]
    assert served(CARD, *old, *later)["exp_year"] == 2030


@pytest.mark.parametrize("value", ["text", 5, None])
def test_a_view_that_is_no_object_where_one_should_be_shows_nothing_there(value: object) -> None:
    shown = served(
        CARD,
        event("customer.source.created", card("A"), 1),
        event("payment_method.updated", view(CARD, card=value), 2),
    )
    assert shown["exp_year"] == 2030


def test_a_view_that_shows_a_part_takes_back_nothing_that_another_showed() -> None:
    part = {"id": CARD, "object": "payment_method", "customer": CUSTOMER, "metadata": {"k": "1"}}
    shown = served(
        CARD,
        event("customer.source.created", card("A"), 1),
        event("payment_method.updated", view(CARD, card={"exp_year": 2031}), 2),
        event("payment_method.updated", part, 3),
    )
    assert (shown["exp_year"], shown["metadata"]) == (2031, {"k": "1"})
