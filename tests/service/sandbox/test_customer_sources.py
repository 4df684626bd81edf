"""Adding, attaching, reading, updating, verifying and removing sources, by Stripe's own client."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import stripe as official

from service.sandbox.clock import ManualClock
from service.sandbox.resources.tokens import BANK_ACCOUNTS, CARDS

if TYPE_CHECKING:
    from tests.service.sandbox.conftest import Sandbox

Client = official.StripeClient

BANK: dict[str, Any] = {
    "object": "bank_account",
    "country": "US",
    "currency": "usd",
    "account_holder_name": "Jenny Rosen",
    "account_holder_type": "individual",
    "routing_number": "110000000",
    "account_number": "000123456789",
}
CARD: dict[str, Any] = {
    "object": "card",
    "number": "4242 4242 4242 4242",
    "exp_month": "3",
    "exp_year": "2030",
    "cvc": "123",
    "name": "Jenny",
    "address_line1": "Street 1",
    "address_zip": "10115",
}
RECEIVER: dict[str, Any] = {
    "object": "bitcoin_receiver",
    "amount": "100",
    "currency": "usd",
    "email": "jenny@example.com",
}


@pytest.fixture
def customer(client: Client) -> str:
    return client.v1.customers.create({"name": "Jenny"}).id


@pytest.fixture
def add(client: Client, customer: str) -> Callable[..., Any]:
    """Add a source to the customer."""

    def post(source: Any, **more: Any) -> Any:
        given: Any = {"source": source, **more}
        return client.v1.customers.payment_sources.create(customer, given)

    return post


@pytest.fixture
def make(client: Client) -> Callable[..., official.Source]:
    """Make a Source that is nobody's."""

    def create(kind: str = "card", **more: Any) -> official.Source:
        if kind == "card":
            more = {"token": "tok_visa", **more}
        given: Any = {"type": kind, **more}
        return client.v1.sources.create(given)

    return create


def default_of(client: Client, customer: str) -> Any:
    return client.v1.customers.retrieve(customer).default_source


@pytest.mark.parametrize("token", [each for each in CARDS if "Declined" not in each])
def test_a_card_is_added_from_every_test_token(add: Callable[..., Any], token: str) -> None:
    card = add(token)
    assert card.object == "card"
    assert card.last4 == CARDS[token][-4:]
    assert card.cvc_check is None
    assert (card.exp_month, card.exp_year) == (5, 2023)


@pytest.mark.parametrize(
    ("token", "brand", "funding", "country"),
    [
        ("tok_visa", "Visa", "credit", "US"),
        ("tok_visa_debit", "Visa", "debit", "US"),
        ("tok_mastercard", "MasterCard", "credit", "US"),
        ("tok_amex", "American Express", "credit", "US"),
        ("tok_de", "Visa", "credit", "DE"),
    ],
)
def test_a_test_token_is_what_it_says(
    add: Callable[..., Any], token: str, brand: str, funding: str, country: str
) -> None:
    card = add(token)
    assert (card.brand, card.funding, card.country) == (brand, funding, country)


@pytest.mark.parametrize("token", BANK_ACCOUNTS)
def test_a_bank_account_is_added_from_every_test_token(add: Callable[..., Any], token: str) -> None:
    account = add(token)
    assert account.object == "bank_account"
    assert account.status == ("new" if token == "btok_us" else "verified")


@pytest.mark.parametrize(
    ("token", "code", "decline_code"),
    [
        ("tok_chargeDeclined", "card_declined", "generic_decline"),
        ("tok_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("tok_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("tok_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("tok_chargeDeclinedFraudulent", "card_declined", "fraudulent"),
        ("tok_chargeDeclinedExpiredCard", "expired_card", None),
        ("tok_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("tok_chargeDeclinedProcessingError", "processing_error", None),
    ],
)
def test_a_declined_card_is_not_added(
    sandbox: "Sandbox", add: Callable[..., Any], token: str, code: str, decline_code: str
) -> None:
    with pytest.raises(official.CardError) as declined:
        add(token)
    assert declined.value.http_status == 402
    assert declined.value.code == code
    assert declined.value.error is not None
    assert getattr(declined.value.error, "decline_code", None) == decline_code
    assert sandbox.events() == ["customer.created"]


def test_a_card_is_added_from_its_attributes(add: Callable[..., Any], customer: str) -> None:
    card = add(CARD, metadata={"a": "1"})
    assert (card.last4, card.exp_month, card.exp_year) == ("4242", 3, 2030)
    assert (card.name, card.address_zip, card.address_zip_check) == ("Jenny", "10115", "pass")
    assert (card.cvc_check, card.customer, card.metadata.to_dict()) == (
        "pass",
        customer,
        {"a": "1"},
    )
    assert add({**CARD, "number": "5555555555554444"}).fingerprint != card.fingerprint
    assert add(CARD).fingerprint == card.fingerprint


@pytest.mark.parametrize(
    ("change", "error", "code", "param"),
    [
        ({"number": "4242424242424241"}, official.CardError, "incorrect_number", "source[number]"),
        ({"number": "4000000000000002"}, official.CardError, "card_declined", None),
        ({"number": "4929000000006"}, official.CardError, "card_declined", None),
        ({"exp_month": "x"}, official.InvalidRequestError, "parameter_invalid_integer", None),
        ({"exp_month": "13"}, official.CardError, "invalid_expiry_month", "source[exp_month]"),
        ({"exp_year": "2021"}, official.CardError, "invalid_expiry_year", "source[exp_year]"),
        ({"exp_year": "2199"}, official.CardError, "invalid_expiry_year", "source[exp_year]"),
        ({"pin": "1"}, official.InvalidRequestError, "parameter_unknown", "source[pin]"),
        ({"object": "cheque"}, official.InvalidRequestError, None, "source[object]"),
        ({"exp_year": ""}, official.InvalidRequestError, "parameter_invalid_empty", None),
    ],
)
def test_a_card_with_bad_attributes_is_refused(
    add: Callable[..., Any],
    change: dict[str, str],
    error: type[official.StripeError],
    code: str | None,
    param: str | None,
) -> None:
    with pytest.raises(error) as refused:
        add({**CARD, **change})
    assert refused.value.code == code
    if param:
        assert getattr(refused.value, "param", None) == param


def test_a_card_needs_its_number(add: Callable[..., Any], customer: str) -> None:
    for missing, param in (("number", "source[number]"), ("exp_year", "source[exp_year]")):
        with pytest.raises(official.InvalidRequestError) as refused:
            add({key: value for key, value in CARD.items() if key != missing})
        assert (refused.value.code, refused.value.param) == ("parameter_missing", param)
    with pytest.raises(official.InvalidRequestError, match="empty string for 'source'"):
        add("")
    assert customer


def test_the_year_of_a_card_may_have_two_digits_and_the_month_may_change_alone(
    client: Client, add: Callable[..., Any], customer: str
) -> None:
    card = add({**CARD, "exp_year": "30"})
    assert card.exp_year == 2030
    updated = client.v1.customers.payment_sources.update(customer, card.id, {"exp_month": "12"})
    assert isinstance(updated, official.Card)
    assert (updated.exp_month, updated.exp_year) == (12, 2030)


def test_an_update_of_a_source_that_changes_nothing_tells_nothing(
    sandbox: "Sandbox", add: Callable[..., Any], customer: str
) -> None:
    card = add("tok_visa")
    before = len(sandbox.stripe.events)
    path = f"/v1/customers/{customer}/sources/{card.id}"
    sandbox.raw("post", path, exp_year=card.exp_year)
    assert len(sandbox.stripe.events) == before


def test_a_bank_account_is_added_from_its_attributes(add: Callable[..., Any]) -> None:
    account = add(BANK, metadata={"a": "1"})
    assert (account.last4, account.status, account.bank_name) == ("6789", "new", "STRIPE TEST BANK")
    assert (account.account_holder_name, account.metadata["a"]) == ("Jenny Rosen", "1")
    german = add(
        {"object": "bank_account", "country": "DE", "currency": "EUR", "account_number": "DE89"}
    )
    assert (german.country, german.currency, german.routing_number) == ("DE", "eur", None)


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"routing_number": "123"}, "routing_number_invalid", "source[routing_number]"),
        ({"account_number": "12-3"}, "account_number_invalid", "source[account_number]"),
        ({"currency": "dollars"}, None, "source[currency]"),
        ({"account_holder_type": "dog"}, None, "source[account_holder_type]"),
    ],
)
def test_a_bank_account_with_bad_attributes_is_refused(
    add: Callable[..., Any], change: dict[str, str], code: str | None, param: str
) -> None:
    with pytest.raises(official.InvalidRequestError) as refused:
        add({**BANK, **change})
    assert (refused.value.code, refused.value.param) == (code, param)


def test_the_same_bank_account_is_added_once(add: Callable[..., Any]) -> None:
    add(BANK)
    with pytest.raises(official.InvalidRequestError) as refused:
        add(BANK)
    assert refused.value.code == "bank_account_exists"


def test_a_bitcoin_receiver_lives_like_the_others(
    sandbox: "Sandbox", client: Client, add: Callable[..., Any], customer: str
) -> None:
    made = add(RECEIVER, metadata={"a": "1"})
    assert made["id"].startswith("btcrcv_")
    assert (made["amount"], made["filled"], made["customer"]) == (100, False, customer)
    assert default_of(client, customer) == made["id"]
    path = f"/v1/customers/{customer}/sources/{made['id']}"
    sandbox.raw("post", path, description="D")
    assert sandbox.stripe.events[-1]["data"]["previous_attributes"] == {"description": None}
    sandbox.raw("delete", path)
    assert sandbox.events() == [
        "customer.created",
        "customer.updated",
        "customer.source.created",
        "customer.source.updated",
        "customer.updated",
        "customer.source.deleted",
    ]
    assert sandbox.stripe.events[-1]["data"]["object"]["customer"] == customer


def test_the_first_source_becomes_the_default_and_the_second_does_not(
    client: Client, add: Callable[..., Any], make: Callable[..., official.Source], customer: str
) -> None:
    first = add(make().id)
    add("tok_visa")
    add(BANK)
    assert default_of(client, customer) == first.id


def test_a_made_token_is_used_once(client: Client, add: Callable[..., Any]) -> None:
    of_card = {key: value for key, value in CARD.items() if key != "object"}
    given: Any = {"card": of_card}
    token = client.v1.tokens.create(given)
    assert client.v1.tokens.retrieve(token.id).used is False
    card = add(token.id)
    assert token.card is not None
    assert (card.id, card.name) == (token.card.id, "Jenny")
    assert client.v1.tokens.retrieve(token.id).used is True
    with pytest.raises(official.InvalidRequestError, match="more than once") as refused:
        add(token.id)
    assert refused.value.code == "token_already_used"
    with pytest.raises(official.InvalidRequestError, match="No such token"):
        client.v1.tokens.retrieve("tok_x")


def test_a_made_bank_token_and_a_declined_one(client: Client, add: Callable[..., Any]) -> None:
    of_bank = {key: value for key, value in BANK.items() if key != "object"}
    given: Any = {"bank_account": of_bank}
    token = client.v1.tokens.create(given)
    assert add(token.id).id.startswith("ba_")
    bad = {"number": "4000000000009995", "exp_month": "3", "exp_year": "2030"}
    given = {"card": bad}
    declined = client.v1.tokens.create(given)
    with pytest.raises(official.CardError, match="insufficient funds"):
        add(declined.id)


@pytest.mark.parametrize("status", ["chargeable", "pending"])
def test_a_source_that_can_be_used_is_attached(
    sandbox: "Sandbox",
    add: Callable[..., Any],
    make: Callable[..., Any],
    customer: str,
    status: str,
) -> None:
    made = make("ach_credit_transfer", currency="usd", owner={"email": "a@example.com"})
    if status == "chargeable":
        sandbox.raw("post", f"/v1/test_helpers/sources/{made.id}/chargeable")
    attached = add(made.id, metadata={"a": "1"})
    assert (attached.id, attached.status, attached.customer) == (made.id, status, customer)
    assert attached.metadata.to_dict() == {"a": "1"}


@pytest.mark.parametrize("ending", ["fail", "cancel"])
def test_a_source_that_cannot_be_used_is_not_attached(
    sandbox: "Sandbox", add: Callable[..., Any], make: Callable[..., Any], ending: str
) -> None:
    made = make("ach_credit_transfer", currency="usd")
    sandbox.raw("post", f"/v1/test_helpers/sources/{made.id}/{ending}")
    with pytest.raises(official.InvalidRequestError, match="must be chargeable or pending"):
        add(made.id)


def test_a_consumed_source_is_never_attached_again(
    client: Client, add: Callable[..., Any], make: Callable[..., Any], customer: str
) -> None:
    made = make()
    add(made.id)
    client.v1.customers.payment_sources.delete(customer, made.id)
    with pytest.raises(official.InvalidRequestError, match="must be chargeable or pending"):
        add(made.id)


def test_an_attached_source_is_not_attached_again(
    client: Client, add: Callable[..., Any], make: Callable[..., Any]
) -> None:
    made = make()
    add(made.id)
    with pytest.raises(official.InvalidRequestError, match="already been attached"):
        add(made.id)
    other = client.v1.customers.create()
    with pytest.raises(official.InvalidRequestError, match="already been attached"):
        client.v1.customers.payment_sources.create(other.id, {"source": made.id})


def test_a_declined_card_is_refused_as_a_source_too(
    add: Callable[..., Any], make: Callable[..., Any]
) -> None:
    made = make(token="tok_chargeDeclined")
    assert made.status == "chargeable"
    with pytest.raises(official.CardError):
        add(made.id)


def test_sources_are_listed_newest_first_by_kind_and_by_cursor(
    client: Client, add: Callable[..., Any], make: Callable[..., Any], customer: str
) -> None:
    ids = [
        add(what).id
        for what in (
            "tok_visa",
            make().id,
            BANK,
            *["tok_amex"] * 10,
            make().id,
            "btok_us_verified",
        )[:14]
    ][::-1]
    service = client.v1.customers.payment_sources
    listed = service.list(customer)
    assert ([each.id for each in listed.data], listed.has_more) == (ids[:10], True)
    assert listed.url == f"/v1/customers/{customer}/sources"
    assert [each.id for each in service.list(customer, {"limit": 3}).auto_paging_iter()] == ids
    only = service.list(customer, {"object": "source"})
    assert [each.id for each in only.data] == [ids[0], ids[-2]]
    before = service.list(customer, {"ending_before": ids[5], "limit": 2})
    assert ([each.id for each in before.data], before.has_more) == (ids[3:5], True)
    after = service.list(customer, {"starting_after": ids[-3], "object": "card"})
    assert [each.id for each in after.data] == [ids[-1]]


@pytest.mark.parametrize(
    ("parameters", "param", "message"),
    [
        ({"limit": 0}, "limit", "greater than or equal to 1"),
        ({"limit": 101}, "limit", "less than or equal to 100"),
        ({"limit": "x"}, "limit", "Invalid integer: x"),
        ({"object": "cheque"}, "object", "must be one of card, bank_account, or source"),
        ({"starting_after": "card_x"}, "starting_after", "No such source: 'card_x'"),
        ({"ending_before": "card_x"}, "ending_before", "No such source: 'card_x'"),
        ({"starting_after": ""}, "starting_after", "empty string"),
        ({"colour": "red"}, "colour", "Received unknown parameter: colour"),
        ({"starting_after": "a", "ending_before": "b"}, None, "Received both"),
    ],
)
def test_a_list_is_refused_by_what_is_wrong_with_it(
    sandbox: "Sandbox", customer: str, parameters: dict[str, Any], param: str | None, message: str
) -> None:
    with pytest.raises(official.InvalidRequestError, match=message) as refused:
        sandbox.raw("get", f"/v1/customers/{customer}/sources", **parameters)
    assert (refused.value.http_status, refused.value.param) == (400, param)


def test_one_source_is_retrieved_and_another_customers_is_not(
    client: Client, add: Callable[..., Any], customer: str
) -> None:
    card = add("tok_visa")
    service = client.v1.customers.payment_sources
    got = service.retrieve(customer, card.id, {"expand": ["customer"]})
    assert isinstance(got, official.Card)
    assert isinstance(got.customer, official.Customer)
    for owner, source in ((client.v1.customers.create().id, card.id), (customer, "card_x")):
        with pytest.raises(official.InvalidRequestError) as refused:
            service.retrieve(owner, source)
        assert refused.value.http_status == 404
        assert refused.value.user_message == f"No such source: '{source}'"
        assert refused.value.param == "id"


def test_a_card_is_updated_and_told_with_what_it_was(
    sandbox: "Sandbox", client: Client, add: Callable[..., Any], customer: str
) -> None:
    card = add("tok_visa")
    updated = client.v1.customers.payment_sources.update(
        customer,
        card.id,
        {
            "exp_month": "7",
            "exp_year": "2031",
            "name": "J",
            "address_zip": "1",
            "metadata": {"a": "1"},
        },
    )
    assert isinstance(updated, official.Card)
    assert (updated.exp_month, updated.exp_year, updated.name) == (7, 2031, "J")
    event = sandbox.stripe.events[-1]
    assert event["type"] == "customer.source.updated"
    assert event["data"]["previous_attributes"] == {
        "address_zip": None,
        "address_zip_check": None,
        "exp_month": 5,
        "exp_year": 2023,
        "metadata": {"a": None},
        "name": None,
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"exp_month": "0"}, "invalid_expiry_month"),
        ({"exp_year": "2000"}, "invalid_expiry_year"),
        ({"exp_month": "4", "exp_year": "2022"}, "invalid_expiry_month"),
        ({"number": "4242424242424242"}, "parameter_unknown"),
        ({"account_holder_name": "J"}, "parameter_unknown"),
    ],
)
def test_a_bad_update_of_a_card_is_refused(
    sandbox: "Sandbox", add: Callable[..., Any], customer: str, change: dict[str, str], code: str
) -> None:
    card = add("tok_visa")
    before = len(sandbox.stripe.events)
    with pytest.raises(official.StripeError) as refused:
        sandbox.raw("post", f"/v1/customers/{customer}/sources/{card.id}", **change)
    assert refused.value.code == code
    assert len(sandbox.stripe.events) == before


def test_a_source_is_updated_on_its_customer(
    sandbox: "Sandbox",
    client: Client,
    add: Callable[..., Any],
    make: Callable[..., Any],
    customer: str,
) -> None:
    made = make()
    add(made.id)
    client.v1.customers.payment_sources.update(customer, made.id, {"owner": {"name": "J"}})
    event = sandbox.stripe.events[-1]
    assert event["type"] == "customer.source.updated"
    assert event["data"]["previous_attributes"] == {"owner": {"name": None}}


def test_a_bank_account_is_edited_without_saying_what_it_was_and_verified_with(
    sandbox: "Sandbox", client: Client, add: Callable[..., Any], customer: str
) -> None:
    account = add(BANK)
    service = client.v1.customers.payment_sources
    service.update(customer, account.id, {"metadata": {"update": "1"}, "account_holder_name": "J"})
    edited = sandbox.stripe.events[-1]
    assert edited["type"] == "customer.source.updated"
    assert "previous_attributes" not in edited["data"]
    verified = service.verify(customer, account.id, {"amounts": [32, 45]})
    assert isinstance(verified, official.BankAccount)
    assert (verified.status, verified.account_holder_name) == ("verified", "J")
    event = sandbox.stripe.events[-1]
    assert event["type"] == "customer.source.updated"
    assert event["data"]["previous_attributes"] == {"status": "new"}
    with pytest.raises(official.InvalidRequestError, match="already been verified"):
        service.verify(customer, account.id, {"amounts": [32, 45]})


def test_wrong_amounts_do_not_verify_and_ten_of_them_are_the_end(
    client: Client, add: Callable[..., Any], customer: str
) -> None:
    account, service = add(BANK), client.v1.customers.payment_sources
    with pytest.raises(official.InvalidRequestError, match="exactly two"):
        service.verify(customer, account.id, {"amounts": [32]})
    with pytest.raises(official.InvalidRequestError, match="Missing required param: amounts"):
        service.verify(customer, account.id)
    for _ in range(10):
        with pytest.raises(official.InvalidRequestError, match="do not match the amounts"):
            service.verify(customer, account.id, {"amounts": [1, 2]})
    with pytest.raises(official.InvalidRequestError, match="exceeded the number"):
        service.verify(customer, account.id, {"amounts": [32, 45]})
    card = add("tok_visa")
    with pytest.raises(official.InvalidRequestError, match="Only bank accounts"):
        service.verify(customer, card.id, {"amounts": [32, 45]})


def test_a_removed_card_is_a_stub_and_a_detached_source_comes_back_whole(
    client: Client, add: Callable[..., Any], make: Callable[..., Any], customer: str
) -> None:
    service = client.v1.customers.payment_sources
    card, account = add("tok_visa"), add(BANK)
    assert service.delete(customer, card.id).to_dict() == {
        "id": card.id,
        "object": "card",
        "deleted": True,
    }
    assert service.delete(customer, account.id).to_dict()["object"] == "bank_account"
    made = add(make(owner={"email": "a@example.com"}).id)
    detached = client.v1.sources.detach(customer, made.id).to_dict()
    assert detached["status"] == "consumed"
    assert "customer" not in detached
    assert detached["owner"]["email"] == "a@example.com"
    assert client.v1.sources.retrieve(made.id).to_dict() == detached
    for source in (card.id, made.id):
        with pytest.raises(official.InvalidRequestError, match=f"No such source: '{source}'"):
            service.delete(customer, source)


def test_the_most_recently_added_source_takes_the_place_of_a_removed_default(
    sandbox: "Sandbox",
    clock: ManualClock,
    add: Callable[..., Any],
    make: Callable[..., Any],
    customer: str,
) -> None:
    client = sandbox.client
    old = make()  # made first, attached last: it is the attaching that counts
    clock.advance(5)
    first, second = add("tok_visa"), add("tok_amex")
    clock.advance(5)
    third = add(old.id)
    service = client.v1.customers.payment_sources
    before = len(sandbox.stripe.events)
    service.delete(customer, first.id)
    assert default_of(client, customer) == third.id
    assert sandbox.events()[before:] == [
        "customer.updated",
        "customer.source.deleted",
        "payment_method.detached",
    ]
    told = sandbox.stripe.events[before]["data"]
    assert told["previous_attributes"] == {"default_source": first.id}
    assert told["object"]["default_source"] == third.id
    service.delete(customer, second.id)
    assert default_of(client, customer) == third.id
    service.delete(customer, third.id)
    assert default_of(client, customer) is None


def test_removing_another_than_the_default_leaves_the_default(
    sandbox: "Sandbox", client: Client, add: Callable[..., Any], customer: str
) -> None:
    first, second = add("tok_visa"), add("tok_amex")
    before = len(sandbox.stripe.events)
    client.v1.customers.payment_sources.delete(customer, second.id)
    assert default_of(client, customer) == first.id
    assert sandbox.events()[before:] == ["customer.source.deleted", "payment_method.detached"]
