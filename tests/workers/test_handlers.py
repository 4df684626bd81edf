"""What each event tells: real payloads of all eras, and what is wrong with some."""

import json
import pkgutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.event import Event, read_event
from service.event_types import LOGGED_TYPES
from tests.workers.fold import Fold, facts_told
from tests.workers.notation import CUSTOMER, card, customer, embedded, event, source_id
from workers import handlers
from workers.algebra.facts import FINAL, FIRST, UNOWNED, USUAL, CustomerFacts, Facts, Record, Times
from workers.handlers import UnprojectableError, handled_types, handles
from workers.handlers.sources import EMBEDDED

DATA = Path(__file__).parents[1] / "data"
FIXTURES = {
    path.name: path
    for folder in ("webhook_fixtures", "webhook_fixtures_legacy")
    for path in sorted((DATA / folder).glob("*.json"))
}
CARD_ZERO, CUSTOMER_ZERO = "card_000000000000000000000000", "cus_00000000000000"
TELLS_OF = {
    "customer.bank_account.deleted.json": {"ba_00000000000000"},
    "customer.created.json": {CARD_ZERO, CUSTOMER_ZERO},
    "customer.deleted.json": {CUSTOMER_ZERO},
    "customer.source.created.json": {CARD_ZERO},
    "customer.source.expiring.json": {"src_00000000000000"},
    "customer.source.updated.json": {CARD_ZERO},
    "customer.updated.json": {CARD_ZERO, CUSTOMER_ZERO},
    "payment_method.attached.json": {CARD_ZERO},
    "source.cancelled.json": {"src_00000000000000"},
    "source.chargeable.json": {"src_00000000000000"},
    "source.failed.json": {"src_00000000000000"},
    "source.mandate_notification.json": {"src_00000000000000"},
}
"""The others are of no projected type, or are placeholders' events that name real objects."""

CARD = source_id("A")
SOURCE = source_id("S", "source")


def told(event_type: str, fields: dict[str, Any], at: int = 5, **more: Any) -> Facts:
    return facts_told(event(event_type, fields, at, **more))


def only_record(facts: Facts, subject: str) -> Record:
    known = facts.customers.get(subject) or facts.sources[subject]
    (records,) = known.snapshots.values()
    (record,) = records.values()
    return record


# --- which handler ------------------------------------------------------------------------------


def test_every_type_in_the_log_has_a_handler() -> None:
    assert handled_types() == LOGGED_TYPES


def test_every_handler_module_is_imported() -> None:
    modules = {module.name for module in pkgutil.iter_modules(handlers.__path__)}
    assert modules - {"records", "registry"} <= set(handlers.__all__)


def test_a_type_with_two_handlers_is_refused_at_import() -> None:
    with pytest.raises(ValueError, match=r"customer\.created has two handlers"):
        handles("customer.created")(lambda _event: Facts())


def test_the_object_says_what_it_is_whatever_the_event_is_called() -> None:
    facts = told("customer.updated", card("A"))
    assert facts.customers == {}
    assert facts.sources[CARD].owners == {CUSTOMER}


def test_an_old_object_that_does_not_say_what_it_is_goes_by_the_event() -> None:
    fields = card("A")
    del fields["object"]
    assert set(told("customer.card.created", fields).sources) == {CARD}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (None, "object_not_an_object"),
        ([], "object_not_an_object"),
        ("card_A", "object_not_an_object"),
        ({"object": "card"}, "object_without_id"),
        ({"object": "card", "id": 5}, "object_without_id"),
        ({"object": "customer", "id": None}, "object_without_id"),
        ({"object": "payment_method"}, "object_without_id"),
        ({"object": "discount", "id": "di_1"}, "object_of_unknown_kind"),
    ],
    ids=str,
)
@pytest.mark.parametrize("event_type", ["customer.source.created", "customer.updated"])
def test_an_object_that_is_not_what_it_should_be_is_refused_with_a_reason(
    event_type: str, fields: Any, reason: str
) -> None:
    with pytest.raises(UnprojectableError) as refused:
        told(event_type, fields)
    assert refused.value.reason == reason
    assert event_type in str(refused.value)


# --- customers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event_type", "previous", "times"),
    [
        ("customer.created", None, Times(added=5, seen=5, first=5)),
        ("customer.updated", {"default_source": None}, Times(added=5, seen=5, first=5)),
        ("customer.updated", {"default_source": "card_B"}, Times(seen=5)),
        ("customer.updated", {"name": "m"}, Times(seen=5)),
        ("customer.deleted", None, Times(seen=5)),
        ("customer.deleted", {"default_source": None}, Times(seen=5)),
    ],
)
def test_a_default_was_there_and_may_have_been_the_first(
    event_type: str, previous: dict[str, Any] | None, times: Times
) -> None:
    facts = told(event_type, customer("A"), previous=previous)
    assert facts.sources[CARD].owners == {CUSTOMER}
    assert facts.sources[CARD].times == times


def test_a_default_that_went_to_null_was_the_last_and_has_gone() -> None:
    facts = told("customer.updated", customer(None), previous={"default_source": "card_B"})
    assert facts.sources["card_B"].times == Times(seen=5, gone=5)


def test_a_default_that_was_replaced_was_there() -> None:
    facts = told("customer.updated", customer("A"), previous={"default_source": "card_B"})
    assert facts.sources["card_B"].times == Times(seen=5)
    assert facts.sources["card_B"].owners == {CUSTOMER}


def test_only_customer_updated_tells_that_updates_are_told() -> None:
    assert told("customer.updated", customer(None)).customers[CUSTOMER].told
    assert not told("customer.created", customer(None)).customers[CUSTOMER].told
    assert not told("customer.deleted", customer(None)).customers[CUSTOMER].told


@pytest.mark.parametrize(
    ("event_type", "fields"),
    [
        ("customer.deleted", customer("A")),
        ("customer.deleted", {"id": CUSTOMER, "object": "customer", "deleted": True}),
        ("customer.updated", {"id": CUSTOMER, "object": "customer", "deleted": True}),
    ],
    ids=["whole", "stub", "stub of an update"],
)
def test_a_customer_is_deleted_by_the_type_or_by_the_object(
    event_type: str, fields: dict[str, Any]
) -> None:
    facts = told(event_type, fields)
    assert facts.customers[CUSTOMER].deleted
    assert only_record(facts, CUSTOMER).phase == FINAL


@pytest.mark.parametrize(
    ("listing", "lists"),
    [
        ({"data": [card("B"), card("A")], "has_more": False}, {5: {("card_B", "card_A")}}),
        ({"data": [], "has_more": False}, {5: {()}}),
        ({"data": [card("A")], "has_more": True}, {}),
        ({"data": [card("A")]}, {}),
        ({"data": [card("A")], "total_count": 1}, {5: {("card_A",)}}),
        ({"data": [card("A")], "count": 2}, {}),
        ({"data": [card("A"), {"object": "card"}], "has_more": False}, {}),
        ({"data": "card_A", "has_more": False}, {}),
        ({"has_more": False}, {}),
        (None, {}),
    ],
    ids=str,
)
def test_a_list_tells_all_sources_only_when_it_is_whole(listing: Any, lists: Any) -> None:
    facts = told("customer.updated", customer("A", sources=listing))
    assert facts.customers[CUSTOMER].lists == lists


def test_an_absent_list_is_unknown_and_not_empty() -> None:
    assert told("customer.updated", customer("A")).customers[CUSTOMER].lists == {}


def test_an_embedded_source_is_a_snapshot_of_it() -> None:
    loose = {"id": SOURCE, "object": "source", "status": "chargeable"}
    strange = card("C", customer="cus_2")
    listing = embedded(card("A"), loose, strange, {"object": "card"}) | {
        "data": [card("A"), loose, strange, {"object": "card"}, "card_D"]
    }
    facts = told("customer.updated", customer(None, sources=listing), request="req_9")
    assert set(facts.sources) == {CARD, SOURCE}
    record = only_record(facts, CARD)
    assert (record.type, record.phase, record.request) == (EMBEDDED, USUAL, "req_9")
    assert json.loads(record.object) == card("A")
    assert facts.sources[CARD].times == Times(seen=5)
    assert facts.sources[SOURCE].owners == {CUSTOMER}
    assert only_record(facts, SOURCE).phase == UNOWNED


def test_a_default_that_is_embedded_too_is_told_of_once() -> None:
    facts = told("customer.created", customer("A", sources=embedded(card("A"))))
    assert facts.sources[CARD].times == Times(added=5, seen=5, first=5)
    assert only_record(facts, CARD).type == EMBEDDED


def test_lists_are_kept_out_of_the_customers_record() -> None:
    more = {"sources": embedded(card("A")), "cards": embedded(card("A"))}
    record = only_record(
        told("customer.updated", customer("A", **more), previous={"sources": {}, "name": "m"}),
        CUSTOMER,
    )
    assert json.loads(record.object) == customer("A")
    assert json.loads(record.previous) == {"name": "m"}


# --- the eras of customers ----------------------------------------------------------------------


def test_an_expanded_default_and_an_expanded_customer_count_as_their_ids() -> None:
    facts = told("customer.updated", customer("A") | {"default_source": card("A")})
    assert facts.sources[CARD].owners == {CUSTOMER}
    assert json.loads(only_record(facts, CUSTOMER).object)["default_source"] == CARD
    facts = told("customer.source.created", card("A", customer=customer("A")))
    assert facts.sources[CARD].owners == {CUSTOMER}


def test_a_customer_of_2014_has_cards_and_a_default_card() -> None:
    fields = {
        "id": CUSTOMER,
        "object": "customer",
        "default_card": CARD,
        "cards": {"object": "list", "count": 1, "data": [card("A")]},
    }
    facts = told("customer.created", fields)
    assert facts.sources[CARD].times == Times(added=5, seen=5, first=5)
    assert facts.customers[CUSTOMER].lists == {}, "it never held bank accounts"
    answer = Fold([facts]).customer(CUSTOMER)
    assert (answer.default, answer.basis) == (CARD, "confirmed")
    assert json.loads(answer.body) == {
        "id": CUSTOMER,
        "object": "customer",
        "default_card": CARD,
    }


def test_between_2015_and_then_a_customer_had_both() -> None:
    fields = customer("A") | {"default_card": CARD, "cards": embedded(card("A"))}
    facts = told("customer.updated", fields, previous={"default_source": None})
    assert facts.sources[CARD].times == Times(added=5, seen=5, first=5)
    body = json.loads(Fold([facts]).customer(CUSTOMER).body)
    assert (body["default_source"], body["default_card"]) == (CARD, CARD)


@pytest.mark.parametrize(
    ("active_card", "default", "basis"),
    [
        ({"id": "cc_1", "object": "card"}, "cc_1", "confirmed"),
        (None, "", "ambiguous"),
        ({"object": "card", "last4": "4242"}, "", "ambiguous"),
    ],
    ids=["with an id", "none", "of 2011, without an id"],
)
def test_a_customer_of_2013_has_an_active_card(
    active_card: object, default: str, basis: str
) -> None:
    fields = {"id": CUSTOMER, "object": "customer", "active_card": active_card}
    answer = Fold([told("customer.created", fields)]).customer(CUSTOMER)
    assert (answer.default, answer.basis) == (default, basis)
    body = json.loads(answer.body)
    assert (body["active_card"], body["default_source"]) == (active_card, default or None)


@pytest.mark.parametrize("default", [5, [], {"object": "card"}, ""], ids=str)
def test_a_default_that_names_nothing_is_unknown_and_not_null(default: object) -> None:
    facts = told("customer.created", customer(None) | {"default_source": default})
    assert facts.sources == {}
    assert Fold([facts]).customer(CUSTOMER).basis == "ambiguous"


# --- sources ------------------------------------------------------------------------------------


def test_a_created_source_was_added_by_its_customer() -> None:
    facts = told("customer.source.created", card("A"))
    assert facts.sources[CARD].times == Times(added=5)
    assert only_record(facts, CARD).phase == FIRST


@pytest.mark.parametrize(
    ("event_type", "more", "times", "phase"),
    [
        ("source.chargeable", {}, Times(), UNOWNED),
        ("source.chargeable", {"customer": CUSTOMER}, Times(seen=5), USUAL),
        ("customer.source.created", {}, Times(), UNOWNED),
        ("customer.source.deleted", {"status": "consumed"}, Times(gone=5), FINAL),
        ("customer.source.deleted", {}, Times(gone=5), FINAL),
        ("source.canceled", {"status": "consumed"}, Times(gone=5), FINAL),
        ("source.transaction.created", {"customer": CUSTOMER}, Times(seen=5), FIRST),
        ("source.failed", {"customer": CUSTOMER, "status": "failed"}, Times(seen=5), USUAL),
    ],
)
def test_phases_and_times_of_a_source(
    event_type: str, more: dict[str, Any], times: Times, phase: int
) -> None:
    facts = told(event_type, {"id": SOURCE, "object": "source", "status": "chargeable"} | more)
    assert facts.sources[SOURCE].times == times
    assert only_record(facts, SOURCE).phase == phase
    assert facts.customers == {}


@pytest.mark.parametrize(
    ("kind", "status", "rank"),
    [
        ("source", "pending", 0),
        ("source", "chargeable", 1),
        ("source", "failed", 2),
        ("bank_account", "new", 0),
    ],
)
def test_a_sources_status_ranks_inside_its_phase(kind: str, status: str, rank: int) -> None:
    facts = told("source.chargeable", {"id": "src_1", "object": kind, "status": status})
    assert only_record(facts, "src_1").status == rank


def test_a_bank_account_of_a_connected_account_is_nobodys() -> None:
    facts = told(
        "customer.bank_account.deleted",
        {"id": "ba_1", "object": "bank_account", "account": "acct_1"},
    )
    assert facts.sources["ba_1"].owners == set()
    assert facts.customers == {}


def test_an_object_younger_than_its_event_gives_the_second() -> None:
    facts = told("source.chargeable", {"id": SOURCE, "object": "source", "created": 7}, at=5)
    assert list(facts.sources[SOURCE].snapshots) == [7]
    facts = told("source.chargeable", {"id": SOURCE, "object": "source", "created": "x"}, at=5)
    assert list(facts.sources[SOURCE].snapshots) == [5]


def test_a_created_that_is_no_second_of_this_age_outranks_nothing() -> None:
    facts = told("customer.source.created", card("A"), at=1_652_289_172_000)
    assert facts.sources[CARD].times.added == 0


def test_that_no_card_is_the_default_says_nothing_of_bank_accounts() -> None:
    fields = {"id": CUSTOMER, "object": "customer", "default_card": None}
    facts = told("customer.updated", fields, previous={"default_card": CARD})
    assert facts.sources[CARD].times == Times(seen=5)
    assert Fold([facts]).customer(CUSTOMER).basis == "ambiguous"


def test_an_active_card_is_a_snapshot_of_a_source() -> None:
    fields = {"id": CUSTOMER, "object": "customer", "active_card": card("A")}
    answer = Fold([told("customer.created", fields)]).customer(CUSTOMER)
    assert [source.id for source in answer.sources] == [CARD]


def test_an_expanded_customer_is_kept_as_its_id() -> None:
    expanded = card("A") | {"customer": {"id": CUSTOMER, "email": "jenny@example.com"}}
    facts = told("customer.source.created", expanded)
    ((record,),) = (group.values() for group in facts.sources[CARD].snapshots.values())
    assert json.loads(record.object)["customer"] == CUSTOMER


@pytest.mark.parametrize(
    ("previous", "reason"),
    [
        ("[" * 400 + "]" * 400, "object_too_deep"),
        ("9" * 5000, "object_unreadable"),
    ],
    ids=["nested", "a number of 5,000 digits"],
)
def test_what_cannot_be_compared_later_is_refused_at_once(previous: str, reason: str) -> None:
    body = event("customer.updated", customer("A"), 5, previous={"x": "HERE"})
    with pytest.raises(UnprojectableError) as refused:
        facts_told(body.replace(b'"HERE"', previous.encode()))
    assert refused.value.reason == reason


# --- the second view ----------------------------------------------------------------------------


def _view(subject: str, **more: Any) -> dict[str, Any]:
    return {"id": subject, "object": "payment_method", "customer": CUSTOMER, "metadata": {}} | more


@pytest.mark.parametrize(
    ("event_type", "more", "previous", "owners", "times"),
    [
        ("payment_method.attached", {}, None, {CUSTOMER}, Times(added=5)),
        ("payment_method.attached", {"customer": None}, None, set(), Times()),
        ("payment_method.updated", {}, {"metadata": {"k": None}}, {CUSTOMER}, Times(seen=5)),
        ("payment_method.updated", {"customer": None}, None, set(), Times()),
        (
            "payment_method.detached",
            {"customer": None},
            {"customer": CUSTOMER},
            {CUSTOMER},
            Times(gone=5),
        ),
        ("payment_method.detached", {"customer": None}, None, set(), Times(gone=5)),
    ],
)
def test_what_a_second_view_tells(
    event_type: str,
    more: dict[str, Any],
    previous: dict[str, Any] | None,
    owners: set[str],
    times: Times,
) -> None:
    known = told(event_type, _view(CARD, **more), previous=previous).sources[CARD]
    assert (known.owners, known.times) == (owners, times)
    assert known.snapshots == {}
    assert list(known.views) == [5]


def test_a_payment_method_proper_is_no_source() -> None:
    assert not told("payment_method.attached", _view("pm_1"))


def test_a_second_view_keeps_what_both_views_share() -> None:
    fields = _view(
        CARD,
        card={"exp_month": 1, "exp_year": 2030, "last4": "4242"},
        billing_details={"name": "n", "address": None},
    )
    known = told("payment_method.attached", fields).sources[CARD]
    (record,) = known.views[5].values()
    assert msgspec.json.decode(record.object) == {
        "metadata": {},
        "exp_month": 1,
        "exp_year": 2030,
        "last4": "4242",
        "name": "n",
        **{
            f"address_{part}": None
            for part in ("city", "country", "line1", "line2", "postal_code", "state")
        },
    }


# --- events that tell nothing, and real payloads ------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["source_mandate_notification", "source_transaction", "bitcoin_transaction"]
)
def test_mandates_and_transactions_tell_nothing(kind: str) -> None:
    assert not told("source.transaction.created", {"id": "x_1", "object": kind})


@pytest.mark.parametrize("name", FIXTURES)
def test_every_captured_payload_is_read(name: str) -> None:
    facts = facts_told(FIXTURES[name].read_bytes())
    assert {*facts.sources, *facts.customers} == TELLS_OF.get(name, set())
    for customer_id, told_of in facts.customers.items():
        answer = Fold([facts, facts]).customer(customer_id)
        whole = json.loads(FIXTURES[name].read_bytes())["data"]["object"]
        stub = {"id": customer_id, "object": "customer", "deleted": True}
        assert json.loads(answer.body) == (stub if told_of.deleted else whole)


def test_a_test_event_of_the_dashboard_tells_of_placeholders_only() -> None:
    """`customer.source.deleted.json` is all zeros outside and names card_VALID of cus_VALID."""
    assert not facts_told(FIXTURES["customer.source.deleted.json"].read_bytes())
    facts = facts_told(FIXTURES["customer.source.created.json"].read_bytes())
    assert set(facts.sources) == {"card_000000000000000000000000"}
    assert facts.sources["card_000000000000000000000000"].owners == {"cus_00000000000000"}


def test_a_placeholder_is_never_given_to_a_real_customer() -> None:
    facts = told("customer.source.created", card("A", id="card_000"), event_id="evt_00000000000000")
    assert facts.sources["card_000"].owners == set()
    assert facts.customers == {}


def test_a_test_event_of_a_real_customer_tells_nothing() -> None:
    facts = told("customer.updated", customer("A"), event_id="evt_00000000000000")
    assert facts == Facts(sources={}, customers={})
    facts = told("customer.updated", customer("A"), event_id="evt_0000000000000x")
    assert isinstance(facts.customers[CUSTOMER], CustomerFacts)


def test_equal_content_is_one_record_whoever_tells_it() -> None:
    bodies = [event("customer.updated", customer("A"), 5, request="req_1") for _ in range(2)]
    one, other = (only_record(facts_told(body), CUSTOMER) for body in bodies)
    assert one.event != other.event
    assert one.key == other.key
    parsed = read_event(bodies[0])
    assert isinstance(parsed, Event)
    assert one.event == parsed.id
