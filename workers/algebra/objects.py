"""Read Stripe's objects: ids, owners, defaults, lists. Only what is used is looked at."""

from decimal import Decimal
from typing import TypeAlias

import msgspec

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | Decimal | bool | None
"""A parsed value; numbers with a point stay as exact as Stripe wrote them."""

Fields: TypeAlias = dict[str, msgspec.Raw]
"""An object's top level; the values stay as Stripe wrote them."""

SOURCE_KINDS = frozenset({"card", "bank_account", "source", "bitcoin_receiver", "alipay_account"})
"""What can be a payment source, by its own `object`."""

LIST_FIELDS = ("sources", "cards")
"""Where a customer embeds its sources: since 2015, and before."""

DEFAULT_FIELDS = ("default_source", "default_card")
"""Where a customer names its default: since 2015, and before."""

ACTIVE_CARD = "active_card"
"""Where a customer showed its only card until 2013; the oldest ones show it without an id."""


def fields_of(value: bytes | msgspec.Raw | None) -> Fields | None:
    """Return an object's fields; None for anything that is not an object.

    Args:
        value: JSON without white space in front.

    """
    if not value or not bytes(value).startswith(b"{"):  # refusing it below costs ten times more
        return None
    try:
        return _FIELDS.decode(value)
    except msgspec.ValidationError:
        return None


def identity(value: msgspec.Raw | None) -> str:
    """Return an id that stands as a string or as an expanded object; empty for neither."""
    if text := text_of(value):
        return text
    fields = fields_of(value)
    return text_of(fields.get("id")) if fields else ""


def text_of(value: msgspec.Raw | None) -> str:
    """Return a string's text; empty for anything else."""
    if not value or not bytes(value).startswith(b'"'):
        return ""
    try:
        return _TEXT.decode(value)
    except msgspec.ValidationError:
        return ""


def second_of(value: msgspec.Raw | None) -> int:
    """Return a whole number of seconds; 0 for anything else."""
    if not value:
        return 0
    try:
        return _SECOND.decode(value)
    except msgspec.ValidationError:
        return 0


def truth_of(value: msgspec.Raw | None) -> bool:
    """Tell whether the value is `true`."""
    return value is not None and bytes(value) == b"true"


def defaults_in(content: bytes) -> Fields:
    """Return the fields of a customer that name its default, and no others: ten times fewer."""
    try:
        shown = _DEFAULTS.decode(content)
    except msgspec.ValidationError:
        return {}
    return {name: value for name in _DEFAULT_NAMES if (value := getattr(shown, name))}


def default_of(fields: Fields) -> str | None:
    """Return a customer's default source; empty for null, None where no field tells.

    That no card is the default says nothing of bank accounts: only `default_source` tells null.
    """
    for name in _DEFAULT_NAMES:
        if name in fields:
            told_null = name == "default_source" and bytes(fields[name]) == b"null"
            return identity(fields[name]) or ("" if told_null else None)
    return None


def embedded_sources(fields: Fields) -> tuple[list[msgspec.Raw], bool]:
    """Return the sources that a customer embeds, newest first, and whether they are all.

    `cards` never held bank accounts, so that only `sources` can show all there is.
    """
    for name in LIST_FIELDS:
        listing = fields_of(fields.get(name))
        data = _items(listing.get("data")) if listing else None
        if listing and data is not None:
            return data, name == "sources" and _is_whole(listing, len(data))
    active_card = fields.get(ACTIVE_CARD)
    return ([active_card] if fields_of(active_card) and active_card else []), False


def parsed(content: bytes) -> Json:
    """Return the whole value, where its inside matters."""
    return _PARSED.decode(content)


def ids_in(value: msgspec.Raw | None) -> list[str]:
    """Return the ids that stand in a list."""
    return [found for item in _items(value) or () if (found := identity(item))]


def plain_customer(fields: Fields, content: bytes) -> bytes:
    """Return a customer as JSON, without its lists, and with its default as an id.

    Mostly it is as Stripe sent it.
    """
    expanded = any(fields_of(fields.get(name)) for name in DEFAULT_FIELDS)
    if not expanded and fields.keys().isdisjoint(LIST_FIELDS):
        return content
    plain = {name: value for name, value in fields.items() if name not in LIST_FIELDS}
    for name in DEFAULT_FIELDS:
        if default := fields_of(plain.get(name)):
            plain[name] = default.get("id", plain[name])
    return msgspec.json.encode(plain)


def plain_source(fields: Fields, content: bytes) -> bytes:
    """Return a source as JSON, with its customer as an id; mostly it is as Stripe sent it."""
    customer = fields_of(fields.get("customer"))
    if customer is None:
        return content
    return msgspec.json.encode(fields | {"customer": customer.get("id", _NULL)})


def _items(value: msgspec.Raw | None) -> list[msgspec.Raw] | None:
    if not value:
        return None
    try:
        return _ITEMS.decode(value)
    except msgspec.ValidationError:
        return None


def _is_whole(listing: Fields, shown: int) -> bool:
    more = listing.get("has_more")
    if more is not None:
        return bytes(more) == b"false"
    counted = listing.get("total_count", listing.get("count"))
    return counted is not None and second_of(counted) == shown


class _Defaults(msgspec.Struct):
    default_source: msgspec.Raw = msgspec.Raw()
    default_card: msgspec.Raw = msgspec.Raw()
    active_card: msgspec.Raw = msgspec.Raw()


_DEFAULT_NAMES = (*DEFAULT_FIELDS, ACTIVE_CARD)
_DEFAULTS = msgspec.json.Decoder(_Defaults)
_NULL = msgspec.Raw(b"null")
_PARSED: msgspec.json.Decoder[Json] = msgspec.json.Decoder(float_hook=Decimal)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_SECOND = msgspec.json.Decoder(int)
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
