"""Query parameters: Stripe's rules, and Stripe's words when they are broken."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.web.parameters import (
    Expandable,
    Listing,
    ParameterError,
    read_listing,
    read_parameters,
)

KNOWN = frozenset({"limit", "object", "starting_after"})
CUSTOMER = Expandable(("default_source", "sources"), ("subscriptions", "discount"))
LIST = Expandable(("data", "total_count"), ("data.customer",))


def complaint(query: bytes, expandable: Expandable = CUSTOMER) -> ParameterError:
    with pytest.raises(ParameterError) as refused:
        read_parameters(query, KNOWN, expandable)
    return refused.value


def test_expansions_are_read_as_people_and_as_stripes_clients_write_them() -> None:
    for query in (
        b"expand[]=sources&expand[]=default_source",
        b"expand[0]=sources&expand[1]=default_source",
        b"expand%5B0%5D=sources&expand%5B1%5D=default_source",
    ):
        asked = read_parameters(query, KNOWN, CUSTOMER)
        assert asked.expand == {"sources", "default_source"}


def test_of_a_parameter_given_twice_the_last_counts() -> None:
    assert read_parameters(b"limit=1&limit=2", KNOWN, CUSTOMER).values == {"limit": "2"}


@pytest.mark.parametrize(
    ("query", "message", "param"),
    [
        (b"foo=1", "Received unknown parameter: foo", "foo"),
        (b"foo=", "Received unknown parameter: foo", "foo"),
        (b"foo=1&bar=2", "Received unknown parameters: foo, bar", "foo"),
        (b"limit[gt]=1", "Received unknown parameter: limit[gt]", "limit[gt]"),
        (b"Limit=1", "Received unknown parameter: Limit", "Limit"),
    ],
)
def test_an_unknown_parameter_is_named(query: bytes, message: str, param: str) -> None:
    refused = complaint(query)
    assert (refused.message, refused.code, refused.param) == (message, "parameter_unknown", param)


def test_an_empty_value_is_refused_as_an_attempt_to_unset() -> None:
    refused = complaint(b"limit=")
    assert refused.message.startswith("You passed an empty string for 'limit'.")
    assert (refused.code, refused.param) == ("parameter_invalid_empty", "limit")


def test_an_expansion_that_is_no_list_is_refused() -> None:
    assert complaint(b"expand=sources").message == "Invalid array"


def test_what_cannot_be_expanded_anywhere_is_refused_in_stripes_words() -> None:
    refused = complaint(b"expand[]=metadata")
    assert refused.message == "This property cannot be expanded (metadata)."
    assert (refused.code, refused.param) == ("", "")


@pytest.mark.parametrize("path", ["subscriptions", "subscriptions.data", "discount.coupon"])
def test_what_only_stripe_can_expand_says_what_is_possible_here(path: str) -> None:
    refused = complaint(b"expand[]=" + path.encode())
    assert refused.message == (
        f"This property cannot be expanded ({path}) by Onfile, though Stripe can. "
        "Here Onfile expands default_source and sources."
    )


def test_a_list_reminds_of_the_data_in_front() -> None:
    assert complaint(b"expand[]=customer", LIST).message == (
        "This property cannot be expanded (customer). "
        "You may want to try expanding 'data.customer' instead."
    )
    assert complaint(b"expand[]=data.foo", LIST).message == (
        "This property cannot be expanded (data.foo)."
    )


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("0", "This value must be greater than or equal to 1."),
        ("-7", "This value must be greater than or equal to 1."),
        ("101", "This value must be less than or equal to 100."),
        ("999999999999999999", "This value must be less than or equal to 100."),
        ("abc", "Invalid integer: abc"),
        ("1.5", "Invalid integer: 1.5"),
        ("1e2", "Invalid integer: 1e2"),
        ("٣", "Invalid integer: ٣"),
        ("9" * 5000, f"Invalid integer: {'9' * 5000}"),
    ],
)
def test_a_limit_out_of_bounds_is_refused_in_stripes_words(limit: str, message: str) -> None:
    with pytest.raises(ParameterError) as refused:
        read_listing({"limit": limit})
    assert refused.value.message == message
    assert (refused.value.code, refused.value.param) == ("parameter_invalid_integer", "limit")


@pytest.mark.parametrize("limit", [1, 10, 100])
def test_a_limit_within_bounds_is_taken(limit: int) -> None:
    assert read_listing({"limit": str(limit)}).limit == limit


def test_a_list_is_of_ten_of_every_kind_unless_asked_otherwise() -> None:
    assert read_listing({}) == Listing("", 10, "", "")


def test_a_kind_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(ParameterError, match="must be one of card, bank_account, or source") as no:
        read_listing({"object": "cards"})
    assert no.value.param == "object"


@given(st.binary(max_size=200))
def test_no_query_string_does_anything_but_read_or_complain(query: bytes) -> None:
    with suppress(ParameterError):
        assert set(read_parameters(query, KNOWN, CUSTOMER).values) <= KNOWN
