"""Reading Stripe's objects: whatever stands there, an answer and never an exception."""

from decimal import Decimal

import msgspec
import pytest

from workers.algebra.objects import (
    default_of,
    embedded_sources,
    fields_of,
    identity,
    parsed,
    plain_customer,
    second_of,
    text_of,
    truth_of,
)

ODD = [b"null", b"5", b"-1.5", b'""', b'"text"', b"[]", b"[1]", b"{}", b'{"id":null}', b"true"]


@pytest.mark.parametrize("value", ODD)
def test_odd_values_are_read_as_nothing(value: bytes) -> None:
    raw = msgspec.Raw(value)
    fields = fields_of(raw)
    assert (fields is not None) == value.startswith(b"{")
    assert text_of(raw) == ("text" if value == b'"text"' else "")
    assert identity(raw) == text_of(raw)
    assert second_of(raw) == (5 if value == b"5" else 0)
    assert truth_of(raw) == (value == b"true")
    assert embedded_sources({"sources": raw}) == ([], False)
    assert default_of({"default_source": raw}) == {b"null": "", b'"text"': "text"}.get(value)


def test_what_is_absent_is_nothing() -> None:
    assert fields_of(None) is None
    assert (identity(None), text_of(None), second_of(None), truth_of(None)) == ("", "", 0, False)
    assert (default_of({}), embedded_sources({})) == (None, ([], False))


def test_an_id_stands_by_itself_or_in_the_expanded_object() -> None:
    assert identity(msgspec.Raw(b'"card_1"')) == "card_1"
    assert identity(msgspec.Raw(b'{"id":"card_1","object":"card"}')) == "card_1"


def test_numbers_with_a_point_stay_exact() -> None:
    assert parsed(b"[1.10]") == [Decimal("1.10")]


def test_a_plain_customer_keeps_every_other_byte() -> None:
    text = (
        b'{"z":1.50,"sources":{"data":[]},"default_source":{"id":"card_1","object":"card"},'
        b'"a":123456789012345678901,"default_card":{"object":"card"}}'
    )
    assert plain_customer(fields_of(text) or {}, text) == (
        b'{"z":1.50,"default_source":"card_1","a":123456789012345678901,'
        b'"default_card":{"object":"card"}}'
    )


@pytest.mark.parametrize(
    ("listing", "ids", "whole"),
    [
        (b'{"data":["card_1"],"has_more":false}', ["card_1"], True),
        (b'{"data":["card_1"],"has_more":true}', ["card_1"], False),
        (b'{"data":["card_1"],"has_more":"no"}', ["card_1"], False),
        (b'{"data":["card_1"],"total_count":1}', ["card_1"], True),
        (b'{"data":["card_1"],"count":"1"}', ["card_1"], False),
        (b'{"data":null,"has_more":false}', [], False),
        (b'{"data":{},"has_more":false}', [], False),
    ],
)
def test_a_list_is_whole_when_it_says_so(listing: bytes, ids: list[str], whole: bool) -> None:  # noqa: FBT001 - a parameter
    items, said = embedded_sources({"sources": msgspec.Raw(listing)})
    assert ([identity(item) for item in items], said) == (ids, whole)


def test_a_list_of_cards_is_never_the_whole_of_all_sources() -> None:
    listing = msgspec.Raw(b'{"data":["card_1"],"has_more":false}')
    _, whole = embedded_sources({"cards": listing})
    assert not whole
