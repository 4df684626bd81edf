"""Sources by themselves: made, read, updated in silence, and their second view."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import stripe as official

from service.sandbox.stripe import Answer, Stripe

if TYPE_CHECKING:
    from tests.service.sandbox.conftest import Sandbox

Client = official.StripeClient
Call = Callable[..., Answer]

REDIRECT = {"amount": 100, "currency": "eur", "redirect": {"return_url": "https://example.com"}}
CARD = {"number": "4242424242424242", "cvc": "123", "exp_month": "3", "exp_year": "2030"}


@pytest.fixture
def make(call: Call) -> Callable[..., dict[str, Any]]:
    """Make a Source."""

    def create(kind: str = "card", **more: Any) -> dict[str, Any]:
        given = {"type": kind, **more}
        if kind == "card" and "card" not in more:
            given["token"] = "tok_visa"
        return call("POST", "/v1/sources", given).body

    return create


@pytest.fixture
def attached(call: Call, make: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """A card Source that a customer has."""
    customer = call("POST", "/v1/customers").body["id"]
    source = make(card=CARD, owner={"email": "a@example.com"})["id"]
    return call("POST", f"/v1/customers/{customer}/sources", {"source": source}).body


def test_a_source_is_made_and_read_with_its_secret(client: Client) -> None:
    made = client.v1.sources.create({"type": "card", "token": "tok_visa"})
    assert (made.status, made.usage, made.flow) == ("chargeable", "reusable", "none")
    assert "customer" not in made
    for parameters in ({}, {"client_secret": made.client_secret}):
        given: Any = parameters
        assert client.v1.sources.retrieve(made.id, given).to_dict() == made.to_dict()
    with pytest.raises(official.InvalidRequestError, match="does not match") as refused:
        client.v1.sources.retrieve(made.id, {"client_secret": "src_client_secret_x"})
    assert refused.value.param == "client_secret"


def test_a_source_that_is_not_there_is_missing_and_so_is_a_card(client: Client) -> None:
    customer = client.v1.customers.create({"source": "tok_visa"})
    for source in ("src_x", str(customer.default_source)):
        for attempt in (client.v1.sources.retrieve, client.v1.sources.update):
            with pytest.raises(official.InvalidRequestError) as refused:
                attempt(source)
            assert refused.value.http_status == 404
            assert refused.value.user_message == f"No such source: '{source}'"
            assert (refused.value.param, refused.value.code) == ("id", "resource_missing")


def test_a_publishable_key_reads_a_source_by_its_secret_and_nothing_else(
    sandbox: "Sandbox",
) -> None:
    made = sandbox.client.v1.sources.create({"type": "card", "token": "tok_visa"})
    browser = official.StripeClient("pk_test_1", base_addresses={"api": sandbox.url})
    got = browser.v1.sources.retrieve(made.id, {"client_secret": made.client_secret})
    assert got.id == made.id
    assert browser.v1.sources.create({"type": "card", "token": "tok_amex"}).status == "chargeable"
    with pytest.raises(official.InvalidRequestError, match="Missing required param: client_secret"):
        browser.v1.sources.retrieve(made.id)
    with pytest.raises(official.AuthenticationError) as refused:
        browser.v1.customers.list()
    assert refused.value.error is not None
    assert refused.value.error.code == "secret_key_required"


@pytest.mark.parametrize(
    ("kind", "more", "begins"),
    [
        ("card", {"card": CARD}, ("chargeable", "reusable")),
        ("ach_credit_transfer", {"currency": "usd"}, ("pending", "reusable")),
        (
            "sepa_debit",
            {"currency": "eur", "sepa_debit": {"iban": "DE89 3704 0044 0532 0130 00"}},
            ("chargeable", "reusable"),
        ),
        ("alipay", REDIRECT, ("pending", "single_use")),
        ("alipay", {**REDIRECT, "usage": "reusable"}, ("pending", "reusable")),
        ("bancontact", REDIRECT, ("pending", "single_use")),
        ("eps", REDIRECT, ("pending", "single_use")),
        ("giropay", REDIRECT, ("pending", "single_use")),
        ("ideal", {**REDIRECT, "ideal": {"bank": "ing"}}, ("pending", "single_use")),
        ("p24", REDIRECT, ("pending", "single_use")),
        ("sofort", {**REDIRECT, "sofort": {"country": "DE"}}, ("pending", "single_use")),
    ],
)
def test_a_source_of_each_type_begins_as_stripe_says(
    account: Stripe,
    make: Callable[..., dict[str, Any]],
    kind: str,
    more: dict[str, Any],
    begins: tuple[str, str],
) -> None:
    made = make(kind, **more)
    assert made["type"] == kind
    assert (made["status"], made["usage"]) == begins
    told = [event["type"] for event in account.events]
    assert told == (["source.chargeable"] if begins[0] == "chargeable" else [])


def test_a_three_d_secure_source_stands_on_a_card_source(
    call: Call, make: Callable[..., dict[str, Any]]
) -> None:
    card = make()
    made = make("three_d_secure", **REDIRECT, three_d_secure={"card": card["id"]})
    assert made["three_d_secure"]["card"] == card["id"]
    assert made["three_d_secure"]["last4"] == "4242"
    assert made["redirect"]["status"] == "pending"
    done = call("POST", f"/v1/test_helpers/sources/{made['id']}/chargeable").body
    assert (done["status"], done["redirect"]["status"]) == ("chargeable", "succeeded")
    assert done["three_d_secure"]["authenticated"] is True


@pytest.mark.parametrize(
    ("parameters", "param", "code"),
    [
        ({}, "type", "parameter_missing"),
        ({"type": "cheque"}, "type", None),
        ({"type": "card"}, "card[number]", "parameter_missing"),
        ({"type": "card", "token": "tok_x"}, "token", "resource_missing"),
        ({"type": "card", "token": "btok_us"}, "token", "resource_missing"),
        ({"type": "card", "token": "tok_visa", "usage": "often"}, "usage", None),
        ({"type": "card", "token": "tok_visa", "colour": "x"}, "colour", "parameter_unknown"),
        ({"type": "ach_credit_transfer"}, "currency", "parameter_missing"),
        ({"type": "ach_credit_transfer", "currency": "eur"}, "currency", None),
        (
            {"type": "ach_credit_transfer", "currency": "usd", "receiver": {"x": "1"}},
            "receiver[x]",
            "parameter_unknown",
        ),
        (
            {"type": "sepa_debit", "currency": "eur", "sepa_debit": {"iban": "DE"}},
            "iban",
            "invalid_bank_account_iban",
        ),
        ({"type": "ideal", "currency": "eur", "amount": "1"}, "redirect", "parameter_missing"),
        (
            {"type": "ideal", "currency": "eur", "redirect": {"return_url": "https://x"}},
            "amount",
            "parameter_missing",
        ),
        (
            {"type": "three_d_secure", **REDIRECT, "three_d_secure": {"card": "src_x"}},
            "three_d_secure[card]",
            "resource_missing",
        ),
        ({"type": "card", "token": "tok_visa", "mandate": {"interval": "x"}}, "mandate", None),
    ],
)
def test_a_source_that_cannot_be_made_is_refused_by_what_is_wrong(
    account: Stripe, parameters: dict[str, Any], param: str, code: str | None
) -> None:
    answer = account.call("POST", "/v1/sources", parameters)
    assert answer.status == 400
    assert answer.body["error"].get("param") == param
    assert answer.body["error"].get("code") == code
    assert account.events == []


def test_an_update_keeps_what_was_not_posted_and_tells_nobody(
    sandbox: "Sandbox", client: Client, attached: dict[str, Any]
) -> None:
    before = len(sandbox.stripe.events)
    updated = client.v1.sources.update(
        attached["id"],
        {
            "amount": 500,
            "metadata": {"a": "1", "b": "2"},
            "owner": {"name": "J", "address": {"city": "Berlin", "line1": "1"}},
        },
    )
    assert updated.amount == 500
    assert updated.owner is not None
    assert (updated.owner.name, updated.owner.email) == ("J", "a@example.com")
    again = client.v1.sources.update(
        attached["id"],
        {"metadata": {"a": ""}, "owner": {"address": {"line1": "2"}}},
    ).to_dict()
    assert again["metadata"] == {"b": "2"}
    assert again["owner"]["address"] | {"city": "Berlin", "line1": "2"} == again["owner"]["address"]
    assert (again["amount"], again["customer"]) == (500, attached["customer"])
    assert client.v1.sources.update(attached["id"], {"metadata": ""}).metadata is not None
    assert client.v1.sources.retrieve(attached["id"]).to_dict()["metadata"] == {}
    assert len(sandbox.stripe.events) == before
    listed = client.v1.customers.payment_sources.list(attached["customer"]).to_dict()
    assert listed["data"] == [client.v1.sources.retrieve(attached["id"]).to_dict()]


def test_an_order_is_summed_up_and_merged(call: Call, make: Callable[..., dict[str, Any]]) -> None:
    made = make()
    items = [
        {"type": "sku", "amount": 1000, "currency": "usd", "description": "A", "quantity": 2},
        {"type": "shipping", "amount": 150, "currency": "usd"},
    ]
    path = f"/v1/sources/{made['id']}"
    order = call("POST", path, {"source_order": {"items": items}}).body["source_order"]
    assert (order["amount"], order["currency"], len(order["items"])) == (1150, "usd", 2)
    shipping = {"address": {"line1": "1"}, "name": "J", "tracking_number": "T"}
    order = call("POST", path, {"source_order": {"shipping": shipping}}).body["source_order"]
    assert (order["amount"], order["shipping"]["tracking_number"]) == (1150, "T")


def test_a_source_is_made_of_a_made_token(account: Stripe, call: Call) -> None:
    given = {**CARD, "name": "Jenny"}
    token = call("POST", "/v1/tokens", {"card": given}).body["id"]
    made = call("POST", "/v1/sources", {"type": "card", "token": token}).body
    assert (made["card"]["name"], made["card"]["cvc_check"]) == ("Jenny", "unchecked")
    again = account.call("POST", "/v1/sources", {"type": "card", "token": token})
    assert again.body["error"]["code"] == "token_already_used"
    bank = {
        "country": "US",
        "currency": "usd",
        "routing_number": "110000000",
        "account_number": "000123456789",
    }
    of_bank = call("POST", "/v1/tokens", {"bank_account": bank}).body["id"]
    refused = account.call("POST", "/v1/sources", {"type": "card", "token": of_bank})
    assert "not that of a card" in refused.body["error"]["message"]


def test_an_order_loses_its_shipping(call: Call, make: Callable[..., dict[str, Any]]) -> None:
    items = [{"amount": 1, "currency": "usd"}]
    shipping = {"address": {"line1": "1"}, "name": "J"}
    made = make(currency="usd", source_order={"items": items, "shipping": shipping})
    unset = {"source_order": {"shipping": ""}}
    order = call("POST", f"/v1/sources/{made['id']}", unset).body["source_order"]
    assert "shipping" not in order
    assert order["amount"] == 1


def test_a_mandate_is_taken_where_there_can_be_one(
    account: Stripe, call: Call, make: Callable[..., dict[str, Any]]
) -> None:
    debit = make("sepa_debit", currency="eur", sepa_debit={"iban": "DE89370400440532013000"})
    mandate = {
        "interval": "variable",
        "notification_method": "email",
        "acceptance": {"status": "accepted", "type": "online", "ip": "127.0.0.1", "date": 1},
    }
    path = f"/v1/sources/{debit['id']}"
    assert call("POST", path, {"mandate": mandate}).body == debit
    nothing = {"mandate": {"interval": "one_time"}, "sepa_debit": ""}
    assert call("POST", path, nothing).body == debit
    assert len(account.events) == 1


@pytest.mark.parametrize(
    ("parameters", "param", "code"),
    [
        ({"amount": "0"}, "amount", "parameter_invalid_integer"),
        ({"amount": "-5"}, "amount", "parameter_invalid_integer"),
        ({"amount": "x"}, "amount", "parameter_invalid_integer"),
        ({"amount": ""}, "amount", "parameter_invalid_empty"),
        ({"status": "consumed"}, "status", "parameter_unknown"),
        ({"owner": {"email": "nobody"}}, "owner[email]", "email_invalid"),
        ({"owner": {"verified_name": "x"}}, "owner[verified_name]", "parameter_unknown"),
        ({"mandate": {"interval": "variable"}}, "mandate", None),
        ({"source_order": {"items": ["x"]}}, "source_order[items]", None),
        ({"source_order": {"items": [{"type": "x"}]}}, "source_order[items][0][type]", None),
        ({"source_order": {"items": []}}, "source_order", None),
        ({"source_order": {"shipping": {"name": "J"}}}, "source_order[shipping][address]", None),
        ({"card": {"exp_month": "13"}}, "card[exp_month]", "invalid_expiry_month"),
        ({"card": {"number": "4242424242424242"}}, "card[number]", "parameter_unknown"),
        ({"metadata": {"k": "x" * 501}}, "metadata[k]", None),
    ],
)
def test_a_bad_update_is_refused_and_changes_nothing(
    account: Stripe,
    attached: dict[str, Any],
    parameters: dict[str, Any],
    param: str,
    code: str | None,
) -> None:
    path = f"/v1/sources/{attached['id']}"
    answer = account.call("POST", path, {"metadata": {"a": "1"}, **parameters})
    assert answer.status in {400, 402}
    assert answer.body["error"]["param"] == param
    assert code is None or answer.body["error"]["code"] == code
    assert account.call("GET", path).body == attached


def test_a_mandate_that_makes_no_sense_is_refused(
    account: Stripe, make: Callable[..., dict[str, Any]]
) -> None:
    debit = make("sepa_debit", currency="eur", sepa_debit={"iban": "DE89370400440532013000"})
    for mandate, param in (
        ({"acceptance": {}}, None),
        ({"acceptance": {"date": "1"}}, "mandate[acceptance][status]"),
        ({"acceptance": {"status": "perhaps"}}, "mandate[acceptance][status]"),
        ({"interval": "yearly"}, "mandate[interval]"),
        ({"colour": "red"}, "mandate[colour]"),
    ):
        answer = account.call("POST", f"/v1/sources/{debit['id']}", {"mandate": mandate})
        assert answer.status == 400
        assert param is None or answer.body["error"]["param"] == param


def test_a_source_is_updated_as_a_payment_method(
    sandbox: "Sandbox", client: Client, attached: dict[str, Any]
) -> None:
    before = len(sandbox.stripe.events)
    updated = client.v1.payment_methods.update(
        attached["id"],
        {
            "card": {"exp_month": 7, "exp_year": 2031},
            "billing_details": {"name": "J", "address": {"city": "Berlin"}},
            "metadata": {"a": "1"},
        },
    )
    assert updated.to_dict() == client.v1.payment_methods.retrieve(attached["id"]).to_dict()
    (event,) = sandbox.stripe.events[before:]
    assert event["type"] == "payment_method.updated"
    assert event["data"]["previous_attributes"] == {
        "billing_details": {"address": {"city": None}, "name": None},
        "card": {"exp_month": 3, "exp_year": 2030},
        "metadata": {"a": None},
    }
    source = client.v1.sources.retrieve(attached["id"]).to_dict()
    assert (source["card"]["exp_month"], source["card"]["exp_year"]) == (7, 2031)
    assert (source["owner"]["name"], source["owner"]["address"]["city"]) == ("J", "Berlin")
    assert source["metadata"] == {"a": "1"}


def test_a_card_is_updated_as_a_payment_method(sandbox: "Sandbox", client: Client) -> None:
    customer = client.v1.customers.create({"source": "tok_mastercard"})
    card = str(customer.default_source)
    before = len(sandbox.stripe.events)
    details = {"name": "J", "email": "j@example.com", "phone": "1", "address": {"postal_code": "9"}}
    given: Any = {"billing_details": details, "card": {"exp_year": 2030}}
    updated = client.v1.payment_methods.update(card, given)
    assert updated.card is not None
    assert (updated.card.brand, updated.card.exp_year) == ("mastercard", 2030)
    assert updated.billing_details.email == "j@example.com"
    (event,) = sandbox.stripe.events[before:]
    assert event["data"]["previous_attributes"] == {
        "billing_details": {
            "address": {"postal_code": None},
            "email": None,
            "name": None,
            "phone": None,
        },
        "card": {"exp_year": 2023},
    }
    shown = client.v1.customers.payment_sources.retrieve(customer.id, card).to_dict()
    assert (shown["name"], shown["address_zip"], shown["exp_year"]) == ("J", "9", 2030)
    client.v1.payment_methods.update(card, {"card": {"exp_year": 2030}})
    assert len(sandbox.stripe.events) == before + 1


def test_what_is_no_payment_method_is_refused(
    account: Stripe, call: Call, make: Callable[..., dict[str, Any]]
) -> None:
    customer = call("POST", "/v1/customers", {"source": "btok_us"}).body
    loose = make()["id"]
    transfer = make("ach_credit_transfer", currency="usd")["id"]
    debit = make("sepa_debit", currency="eur", sepa_debit={"iban": "DE89370400440532013000"})["id"]
    call("POST", f"/v1/customers/{customer['id']}/sources", {"source": debit})
    for source, status, message in (
        (customer["default_source"], 404, "No such PaymentMethod"),
        (transfer, 404, "No such PaymentMethod"),
        ("pm_x", 404, "No such PaymentMethod"),
        (loose, 400, "A source must be attached to a customer to be used as a `payment_method`."),
        (debit, 400, "You may only update the card of a card"),
    ):
        answer = account.call("POST", f"/v1/payment_methods/{source}", {"card": {"exp_month": 1}})
        assert answer.status == status
        assert message in answer.body["error"]["message"]
    view = call("POST", f"/v1/payment_methods/{debit}", {"metadata": {"a": "1"}}).body
    iban = {"sepa_debit": {"iban": "DE89370400440532013000"}}
    refused = account.call("POST", f"/v1/sources/{debit}", iban)
    assert refused.body["error"]["code"] == "parameter_unknown"
    assert (view["type"], view["sepa_debit"]["country"]) == ("sepa_debit", "DE")
