"""Customers, by Stripe's own client."""

from typing import TYPE_CHECKING, Any

import pytest
import stripe as official

from service.sandbox.clock import ManualClock

if TYPE_CHECKING:
    from tests.service.sandbox.conftest import Sandbox

Client = official.StripeClient


def plain(value: Any) -> Any:
    return value.to_dict()


def test_a_customer_is_made_with_everything_that_was_given(client: Client) -> None:
    made = client.v1.customers.create(
        {
            "name": "Jenny Rosen",
            "email": "jenny@example.com",
            "phone": "+15555550100",
            "description": "First",
            "metadata": {"order": "1"},
            "address": {"city": "Berlin", "country": "DE"},
            "shipping": {"name": "J", "address": {"line1": "Street 1"}},
            "preferred_locales": ["de", "en"],
            "tax_exempt": "reverse",
            "balance": -500,
            "invoice_settings": {"footer": "Bye"},
        }
    )
    assert made.id.startswith("cus_")
    assert (made.name, made.email, made.description) == (
        "Jenny Rosen",
        "jenny@example.com",
        "First",
    )
    assert plain(made.metadata) == {"order": "1"}
    assert made.address is not None
    assert (made.address.city, made.address.line1) == ("Berlin", None)
    assert made.shipping is not None
    assert made.shipping.address is not None
    assert made.shipping.address.line1 == "Street 1"
    assert made.preferred_locales == ["de", "en"]
    assert made.balance == -500
    assert made.invoice_settings is not None
    assert made.invoice_settings.footer == "Bye"
    assert made.default_source is None
    assert client.v1.customers.retrieve(made.id).to_dict() == made.to_dict()


def test_sources_are_absent_unless_asked_for(client: Client) -> None:
    made = client.v1.customers.create({"source": "tok_visa"})
    assert "sources" not in made
    expanded = client.v1.customers.retrieve(
        made.id, {"expand": ["sources", "default_source", "subscriptions", "sources.data.customer"]}
    )
    assert expanded.sources is not None
    assert isinstance(expanded.default_source, official.Card)
    assert expanded.sources.data[0].id == made.default_source
    assert expanded.subscriptions is not None
    assert expanded.subscriptions.data == []


def test_what_cannot_be_expanded_is_refused(client: Client) -> None:
    with pytest.raises(official.InvalidRequestError, match=r"cannot be expanded \(nonsense\)"):
        client.v1.customers.create({"expand": ["nonsense"]})
    assert client.v1.customers.list().data == []
    with pytest.raises(official.InvalidRequestError, match=r"try expanding 'data\.default_source'"):
        client.v1.customers.list({"expand": ["default_source"]})


def test_an_update_changes_only_what_was_posted(sandbox: "Sandbox", client: Client) -> None:
    made = client.v1.customers.create(
        {"name": "A", "email": "a@example.com", "metadata": {"k": "1"}}
    )
    updated = client.v1.customers.update(
        made.id, {"name": "B", "metadata": {"new": "2"}, "invoice_prefix": "ABC"}
    )
    assert (updated.name, updated.email) == ("B", "a@example.com")
    assert plain(updated.metadata) == {"k": "1", "new": "2"}
    event = sandbox.stripe.events[-1]
    assert event["type"] == "customer.updated"
    assert event["data"]["previous_attributes"] == {
        "invoice_prefix": made.invoice_prefix,
        "name": "A",
        "metadata": {"new": None},
    }


def test_an_update_that_changes_nothing_tells_nothing(sandbox: "Sandbox", client: Client) -> None:
    made = client.v1.customers.create({"name": "A"})
    client.v1.customers.update(made.id, {"name": "A"})
    assert sandbox.events() == ["customer.created"]


def test_metadata_is_unset_by_key_and_as_a_whole(client: Client) -> None:
    made = client.v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    assert plain(client.v1.customers.update(made.id, {"metadata": {"a": ""}}).metadata) == {
        "b": "2"
    }
    assert plain(client.v1.customers.update(made.id, {"metadata": ""}).metadata) == {}


def test_fields_are_unset_by_posting_nothing(client: Client) -> None:
    made = client.v1.customers.create(
        {"name": "A", "shipping": {"name": "J", "address": {"line1": "1"}}}
    )
    updated = client.v1.customers.update(made.id, {"name": "", "shipping": "", "address": ""})
    assert (updated.name, updated.shipping, updated.address) == (None, None, None)


@pytest.mark.parametrize(
    ("parameters", "param", "code", "message"),
    [
        (
            {"nonsense": "1"},
            "nonsense",
            "parameter_unknown",
            "Received unknown parameter: nonsense",
        ),
        ({"a": "1", "b": "2"}, "a", "parameter_unknown", "Received unknown parameters: a, b"),
        ({"email": "nobody"}, "email", "email_invalid", "Invalid email address: nobody"),
        ({"balance": "x"}, "balance", "parameter_invalid_integer", "Invalid integer: x"),
        ({"balance": ""}, "balance", "parameter_invalid_empty", "empty string for 'balance'"),
        ({"metadata": "x"}, "metadata", None, "Invalid object"),
        ({"metadata": {"k" * 41: "x"}}, "metadata", None, "up to 40 characters"),
        ({"metadata": {"k": "x" * 501}}, "metadata[k]", None, "up to 500 characters"),
        ({"metadata": {f"k{n}": "x" for n in range(51)}}, "metadata", None, "up to 50 metadata"),
        ({"name": {"first": "x"}}, "name", None, "Invalid string"),
        ({"name": "x" * 5001}, "name", None, "at most 5000 characters"),
        ({"tax_exempt": "maybe"}, "tax_exempt", None, "must be one of exempt, none, or reverse"),
        ({"address": {"planet": "x"}}, "address[planet]", "parameter_unknown", "address.planet"),
        ({"shipping": {"name": "x"}}, "shipping[address]", "parameter_missing", "Missing required"),
        ({"preferred_locales": {"x": "de"}}, "preferred_locales", None, "Invalid array"),
        ({"preferred_locales": [{"x": "1"}]}, "preferred_locales", None, "Invalid string"),
        ({"preferred_locales": "de"}, "preferred_locales", None, "Invalid array"),
        ({"source": "tok_x"}, "source", "resource_missing", "No such token: 'tok_x'"),
        ({"source": "src_x"}, "source", "resource_missing", "No such source: 'src_x'"),
        (
            {"invoice_settings": {"default_payment_method": "pm_x"}},
            "invoice_settings[default_payment_method]",
            "resource_missing",
            "No such PaymentMethod: 'pm_x'",
        ),
    ],
)
def test_a_bad_parameter_is_refused_by_its_name(
    sandbox: "Sandbox", parameters: dict[str, object], param: str, code: str | None, message: str
) -> None:
    with pytest.raises(official.InvalidRequestError, match=message) as refused:
        sandbox.raw("post", "/v1/customers", **parameters)
    assert (refused.value.param, refused.value.code) == (param, code)
    assert refused.value.http_status == 400
    assert sandbox.events() == []


def test_the_default_is_changed_and_told_alone(sandbox: "Sandbox", client: Client) -> None:
    made = client.v1.customers.create({"source": "tok_visa"})
    other = client.v1.customers.payment_sources.create(made.id, {"source": "tok_mastercard"})
    before = len(sandbox.stripe.events)
    updated = client.v1.customers.update(made.id, {"default_source": other.id})
    assert updated.default_source == other.id
    assert sandbox.events()[before:] == ["customer.updated"]
    assert sandbox.stripe.events[-1]["data"]["previous_attributes"] == {
        "default_source": made.default_source
    }


def test_the_default_must_be_a_source_that_the_customer_has(client: Client) -> None:
    one = client.v1.customers.create({"source": "tok_visa"})
    other = client.v1.customers.create()
    with pytest.raises(official.InvalidRequestError, match="No such source") as refused:
        client.v1.customers.update(other.id, {"default_source": str(one.default_source)})
    assert (refused.value.param, refused.value.code) == ("default_source", "resource_missing")
    with pytest.raises(official.InvalidRequestError, match="cannot be unset"):
        client.v1.customers.update(one.id, {"default_source": ""})


def test_a_source_posted_with_an_update_takes_the_place_of_the_default(
    sandbox: "Sandbox", client: Client
) -> None:
    made = client.v1.customers.create({"source": "tok_visa"})
    kept = client.v1.customers.payment_sources.create(made.id, {"source": "tok_amex"})
    before = len(sandbox.stripe.events)
    updated = client.v1.customers.update(made.id, {"source": "tok_mastercard", "name": "B"})
    left = client.v1.customers.payment_sources.list(made.id).data
    assert [source.id for source in left] == [updated.default_source, kept.id]
    assert sandbox.events()[before:] == [
        "customer.updated",
        "payment_method.attached",
        "customer.source.created",
        "customer.source.deleted",
        "payment_method.detached",
    ]
    assert sandbox.stripe.events[before]["data"]["previous_attributes"] == {
        "default_source": made.default_source,
        "name": None,
    }
    with pytest.raises(official.InvalidRequestError, match="only specify one of these"):
        client.v1.customers.update(made.id, {"source": "tok_visa", "default_source": kept.id})


def test_a_default_payment_method_is_not_a_default_source(client: Client) -> None:
    made = client.v1.customers.create({"source": "tok_visa"})
    other = client.v1.customers.payment_sources.create(made.id, {"source": "tok_amex"})
    updated = client.v1.customers.update(
        made.id,
        {
            "invoice_settings": {"default_payment_method": other.id},
            "expand": ["invoice_settings.default_payment_method"],
        },
    )
    assert updated.default_source == made.default_source
    assert updated.invoice_settings is not None
    assert isinstance(updated.invoice_settings.default_payment_method, official.PaymentMethod)


def test_a_deleted_customer_is_a_stub_for_ever(sandbox: "Sandbox", client: Client) -> None:
    made = client.v1.customers.create({"source": "tok_visa"})
    stub = {"id": made.id, "object": "customer", "deleted": True}
    assert client.v1.customers.delete(made.id).to_dict() == stub
    assert client.v1.customers.retrieve(made.id, {"expand": ["sources"]}).to_dict() == stub
    assert client.v1.customers.list().data == []
    for attempt in (
        lambda: client.v1.customers.update(made.id, {"name": "B"}),
        lambda: client.v1.customers.delete(made.id),
        lambda: client.v1.customers.payment_sources.list(made.id),
        lambda: client.v1.customers.payment_sources.retrieve(made.id, str(made.default_source)),
        lambda: client.v1.customers.payment_sources.create(made.id, {"source": "tok_visa"}),
    ):
        with pytest.raises(official.InvalidRequestError) as refused:
            attempt()
        assert refused.value.http_status == 404
        assert refused.value.user_message == f"No such customer: '{made.id}'"
        assert (refused.value.param, refused.value.code) == ("id", "resource_missing")
    deleted = sandbox.stripe.events[-1]
    assert deleted["type"] == "customer.deleted"
    assert deleted["data"]["object"]["default_source"] == made.default_source
    assert "deleted" not in deleted["data"]["object"]


def test_customers_are_listed_newest_first(client: Client, clock: ManualClock) -> None:
    ids: list[str] = []
    for number in range(13):
        ids.insert(0, client.v1.customers.create({"email": f"{number % 2}@example.com"}).id)
        clock.advance(10)
    first = client.v1.customers.list()
    assert [each.id for each in first.data] == ids[:10]
    assert [each.id for each in first.auto_paging_iter()] == ids
    some = client.v1.customers.list({"email": "1@example.com", "limit": 100})
    assert [each.id for each in some.data] == ids[1::2]
    start = int(clock.now()) - 30
    late = client.v1.customers.list({"created": {"gte": start, "lt": start + 20}})
    assert [each.id for each in late.data] == ids[1:3]
    exactly = client.v1.customers.list({"created": start})
    assert [each.id for each in exactly.data] == [ids[2]]


def test_an_account_of_another_does_not_see_it(client: Client) -> None:
    options: official.RequestOptions = {"stripe_account": "acct_1"}
    theirs = client.v1.customers.create({"name": "Theirs"}, options)
    assert client.v1.customers.retrieve(theirs.id, None, options).name == "Theirs"
    with pytest.raises(official.InvalidRequestError, match="No such customer"):
        client.v1.customers.retrieve(theirs.id)
    assert client.v1.events.list().data == []
    (event,) = client.v1.events.list(None, options).data
    assert event.account == "acct_1"
