"""What fires, in which order, and what it says: row by row, and what happens by itself."""

from collections.abc import Callable

import pytest

from service.sandbox.clock import ManualClock
from service.sandbox.stripe import Answer, Stripe

Call = Callable[..., Answer]

BOTH = ("customer.created", "customer.source.created")


@pytest.fixture
def customer(call: Call) -> str:
    return str(call("POST", "/v1/customers").body["id"])


@pytest.fixture
def card(call: Call, customer: str) -> str:
    return str(call("POST", f"/v1/customers/{customer}/sources", {"source": "tok_visa"}).body["id"])


def types(answer: Answer) -> list[str]:
    return [event["type"] for event in answer.events]


def source(call: Call) -> str:
    made = call("POST", "/v1/sources", {"type": "card", "token": "tok_visa"})
    assert types(made) == ["source.chargeable"]
    assert "customer" not in made.events[0]["data"]["object"]
    return str(made.body["id"])


def test_all_events_of_a_request_share_its_second_and_its_id(call: Call, customer: str) -> None:
    path = f"/v1/customers/{customer}/sources"
    answer = call("POST", path, {"source": "tok_visa"}, idempotency_key="k")
    assert types(answer) == [
        "customer.updated",
        "payment_method.attached",
        "customer.source.created",
    ]
    assert {event["created"] for event in answer.events} == {answer.events[0]["created"]}
    for event in answer.events:
        assert event["request"] == {"id": answer.request_id, "idempotency_key": "k"}
    updated, attached, created = (event["data"] for event in answer.events)
    assert updated["previous_attributes"] == {"default_source": None}
    assert updated["object"]["default_source"] == created["object"]["id"]
    assert attached["object"]["id"] == created["object"]["id"]
    assert attached["object"]["customer"] == created["object"]["customer"] == customer


def test_the_first_source_attached_tells_of_the_default_first(call: Call, customer: str) -> None:
    answer = call("POST", f"/v1/customers/{customer}/sources", {"source": source(call)})
    assert types(answer) == [
        "customer.updated",
        "payment_method.attached",
        "customer.source.created",
    ]


@pytest.mark.parametrize("token", ["tok_visa", "btok_us", "src"])
def test_a_customer_made_with_a_source_shows_the_default_at_once(call: Call, token: str) -> None:
    given = source(call) if token == "src" else token
    answer = call("POST", "/v1/customers", {"source": given})
    assert types(answer) == list(BOTH)
    made, added = (event["data"]["object"] for event in answer.events)
    assert made["default_source"] == added["id"]
    assert added["customer"] == made["id"]


def test_a_further_card_tells_nothing_of_the_customer(call: Call, customer: str, card: str) -> None:
    answer = call("POST", f"/v1/customers/{customer}/sources", {"source": "tok_amex"})
    assert types(answer) == ["payment_method.attached", "customer.source.created"]
    assert answer.body["id"] != card


def test_a_bank_account_is_never_a_payment_method(call: Call, customer: str, card: str) -> None:
    path = f"/v1/customers/{customer}/sources"
    added = call("POST", path, {"source": "btok_us"})
    assert types(added) == ["customer.source.created"]
    call("DELETE", f"{path}/{card}")
    removed = call("DELETE", f"{path}/{added.body['id']}")
    assert types(removed) == ["customer.updated", "customer.source.deleted"]
    assert removed.events[1]["data"]["object"]["customer"] == customer


def test_a_first_bank_account_tells_of_the_default(call: Call, customer: str) -> None:
    added = call("POST", f"/v1/customers/{customer}/sources", {"source": "btok_us_verified"})
    assert types(added) == ["customer.updated", "customer.source.created"]


def test_an_ach_credit_transfer_is_no_payment_method(call: Call, customer: str) -> None:
    made = call("POST", "/v1/sources", {"type": "ach_credit_transfer", "currency": "usd"})
    assert types(made) == []
    path = f"/v1/customers/{customer}/sources"
    added = call("POST", path, {"source": made.body["id"]})
    assert types(added) == ["customer.updated", "customer.source.created"]


def test_the_only_source_deleted_leaves_no_default(call: Call, customer: str, card: str) -> None:
    answer = call("DELETE", f"/v1/customers/{customer}/sources/{card}", idempotency_key="k")
    assert types(answer) == [
        "customer.updated",
        "customer.source.deleted",
        "payment_method.detached",
    ]
    updated, deleted, detached = (event["data"] for event in answer.events)
    assert updated["object"]["default_source"] is None
    assert updated["previous_attributes"] == {"default_source": card}
    assert deleted["object"]["customer"] == customer
    assert detached["object"]["customer"] is None
    assert detached["previous_attributes"] == {"customer": customer}
    assert answer.events[0]["request"]["idempotency_key"] is None


def test_a_deleted_source_names_no_customer(call: Call, customer: str) -> None:
    path = f"/v1/customers/{customer}/sources"
    one = call("POST", path, {"source": source(call)}).body["id"]
    answer = call("DELETE", f"{path}/{one}")
    gone = answer.events[1]["data"]["object"]
    assert gone == answer.body
    assert "customer" not in gone
    assert gone["status"] == "consumed"


def test_a_deleted_customer_tells_of_nothing_else(call: Call, customer: str, card: str) -> None:
    answer = call("DELETE", f"/v1/customers/{customer}")
    assert types(answer) == ["customer.deleted"]
    assert answer.events[0]["data"]["object"]["default_source"] == card


def test_a_late_update_of_a_payment_method_follows_a_deleted_customer(
    call: Call, account: Stripe, customer: str, card: str
) -> None:
    gone = call("DELETE", f"/v1/customers/{customer}").events[0]
    path = f"/v1/test_helpers/sources/{card}/network_update"
    late = call("POST", path, {"event": "payment_method.updated", "exp_year": "2031"})
    assert types(late) == ["payment_method.updated"]
    assert late.events[0]["created"] == gone["created"]
    assert late.events[0]["data"]["object"]["customer"] == customer
    for hook, given in (
        (path, {"exp_year": "2032"}),
        (path.replace("network_update", "expire"), {}),
    ):
        refused = account.call("POST", hook, given)
        assert refused.status == 400
        assert "deleted" in refused.body["error"]["message"]


@pytest.mark.parametrize("kind", ["card", "source"])
def test_the_network_updates_a_card_without_a_request(call: Call, customer: str, kind: str) -> None:
    path = f"/v1/customers/{customer}/sources"
    given = {"source": source(call) if kind == "source" else "tok_visa"}
    added = call("POST", path, given).body
    one, plastic = added["id"], added["card"] if kind == "source" else added
    hook = f"/v1/test_helpers/sources/{one}/network_update"
    renewed = call("POST", hook, {"exp_month": "9", "exp_year": "2030", "last4": "1881"})
    assert types(renewed) == ["customer.source.updated"]
    assert renewed.events[0]["request"] == {"id": None, "idempotency_key": None}
    changed = ("exp_month", "exp_year", "fingerprint", "last4")
    old = {key: plastic[key] for key in changed}
    previous = renewed.events[0]["data"]["previous_attributes"]
    assert previous == ({"card": old} if kind == "source" else old)
    named = "payment_method.automatically_updated"
    again = call("POST", hook, {"event": named, "exp_year": "2031"})
    assert types(again) == [named]
    assert again.events[0]["data"]["previous_attributes"] == {"card": {"exp_year": 2030}}
    assert again.events[0]["data"]["object"]["object"] == "payment_method"
    expiring = call("POST", f"/v1/test_helpers/sources/{one}/expire")
    assert types(expiring) == ["customer.source.expiring"]
    assert expiring.events[0]["data"]["object"] == call("GET", f"{path}/{one}").body


@pytest.mark.parametrize(
    ("what", "status", "told"),
    [
        ("chargeable", "chargeable", "source.chargeable"),
        ("fail", "failed", "source.failed"),
        ("cancel", "canceled", "source.canceled"),
    ],
)
def test_a_pending_source_becomes_what_is_decided(
    call: Call, account: Stripe, what: str, status: str, told: str
) -> None:
    redirect = {"return_url": "https://example.com"}
    given = {"type": "ideal", "currency": "eur", "amount": 1, "redirect": redirect}
    made = call("POST", "/v1/sources", given).body["id"]
    answer = call("POST", f"/v1/test_helpers/sources/{made}/{what}")
    assert answer.body["status"] == status
    assert types(answer) == [told]
    assert answer.events[0]["request"]["id"] is None
    assert call("GET", f"/v1/sources/{made}").body == answer.body
    again = account.call("POST", f"/v1/test_helpers/sources/{made}/fail")
    assert again.status == 400
    assert status in again.body["error"]["message"]


def test_money_makes_a_transfer_chargeable_and_is_told_by_itself(
    call: Call, account: Stripe, customer: str
) -> None:
    made = call("POST", "/v1/sources", {"type": "ach_credit_transfer", "currency": "usd"}).body[
        "id"
    ]
    call("POST", f"/v1/customers/{customer}/sources", {"source": made})
    hook = f"/v1/test_helpers/sources/{made}"
    first = call("POST", f"{hook}/receive", {"amount": 500})
    assert types(first) == ["source.transaction.created", "source.chargeable"]
    assert first.events[0]["data"]["object"]["source"] == made
    assert first.events[1]["data"]["object"]["customer"] == customer
    assert types(call("POST", f"{hook}/receive", {"amount": 70})) == ["source.transaction.created"]
    assert call("GET", f"/v1/sources/{made}").body["receiver"]["amount_received"] == 570
    asked = call("POST", f"{hook}/require_refund_attributes")
    assert types(asked) == ["source.refund_attributes_required"]
    assert asked.body["receiver"]["refund_attributes_status"] == "requested"
    assert account.call("POST", f"{hook}/receive", {"amount": 0}).status == 400


def test_a_mandate_notification_is_of_another_object_type(call: Call) -> None:
    debit = {"iban": "DE89370400440532013000"}
    given = {"type": "sepa_debit", "currency": "eur", "sepa_debit": debit}
    made = call("POST", "/v1/sources", given).body["id"]
    told = call("POST", f"/v1/test_helpers/sources/{made}/notify_mandate", {"amount": 5})
    assert types(told) == ["source.mandate_notification"]
    assert told.events[0]["data"]["object"]["object"] == "source_mandate_notification"


@pytest.mark.parametrize(
    ("what", "thing", "message"),
    [
        ("chargeable", "src_x", "No such source: 'src_x'"),
        ("chargeable", "card", "no status"),
        ("receive", "card_source", "that money is sent to"),
        ("notify_mandate", "card_source", "sepa_debit"),
        ("network_update", "bank", "a customer's card"),
        ("expire", "card_source", "a customer's card"),
    ],
)
def test_what_cannot_happen_is_refused(
    account: Stripe, call: Call, what: str, thing: str, message: str
) -> None:
    if thing in {"card", "bank"}:
        token = {"card": "tok_visa", "bank": "btok_us"}[thing]
        thing = call("POST", "/v1/customers", {"source": token}).body["default_source"]
    elif thing == "card_source":
        thing = source(call)
    given = {"amount": 1} if what in {"receive", "notify_mandate"} else {}
    answer = account.call("POST", f"/v1/test_helpers/sources/{thing}/{what}", given)
    assert answer.status in {400, 404}
    assert message in answer.body["error"]["message"]


def test_ids_of_one_second_stand_in_no_order(
    call: Call, clock: ManualClock, account: Stripe
) -> None:
    for _ in range(40):
        call("POST", "/v1/customers")
    ids = [event["id"] for event in account.events]
    assert len(set(ids)) == 40
    assert ids != sorted(ids)
    assert ids != sorted(ids, reverse=True)
    clock.advance(1)
    assert call("POST", "/v1/customers").events[0]["id"] > max(ids)


def test_what_was_told_stays_as_it_was_told(call: Call, account: Stripe) -> None:
    """Objects are replaced, never changed: an event shows for ever what was true then."""
    customer = call("POST", "/v1/customers").body["id"]
    card = {"number": "4242424242424242", "cvc": "1", "exp_month": 3, "exp_year": 2030}
    made = call("POST", "/v1/sources", {"type": "card", "card": card})
    assert made.body["card"]["cvc_check"] == "unchecked"
    call("POST", f"/v1/customers/{customer}/sources", {"source": made.body["id"]})
    call("POST", f"/v1/sources/{made.body['id']}", {"metadata": {"a": "1"}})
    call("DELETE", f"/v1/customers/{customer}/sources/{made.body['id']}")
    told = account.events[1]["data"]["object"]
    assert (told["card"]["cvc_check"], told["status"], told["metadata"]) == (
        "unchecked",
        "chargeable",
        {},
    )
