"""Two views of one source in one vocabulary: its own object, and its PaymentMethod.

Both show metadata, a card's number and expiry, and the owner's name, e-mail, phone and address; a
change made through one shows in the other, though Stripe may send an event about one of them only.
Shared values are one flat object; a value that a view does not show at all is absent from it, which
is not null.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from workers.algebra.facts import Group, Record
from workers.algebra.merge import merge_groups
from workers.algebra.objects import Json, fields_of, parsed

Vocabulary: TypeAlias = Mapping[str, tuple[str, ...]]
"""Shared name -> where a view shows it."""

Shared: TypeAlias = dict[str, Json]

_METADATA = ("metadata",)
_PLASTIC = ("exp_month", "exp_year", "fingerprint", "last4")
"""What is another on a card that its network has renewed."""
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")

_PAYMENT_METHOD: Vocabulary = {
    "metadata": _METADATA,
    **{part: ("card", part) for part in _PLASTIC},
    "name": ("billing_details", "name"),
    "email": ("billing_details", "email"),
    "phone": ("billing_details", "phone"),
    **{f"address_{part}": ("billing_details", "address", part) for part in _ADDRESS},
}
_SOURCE: Vocabulary = {
    "metadata": _METADATA,
    **{part: ("card", part) for part in _PLASTIC},
    "name": ("owner", "name"),
    "email": ("owner", "email"),
    "phone": ("owner", "phone"),
    **{f"address_{part}": ("owner", "address", part) for part in _ADDRESS},
}
_CARD: Vocabulary = {
    "metadata": _METADATA,
    **{part: (part,) for part in _PLASTIC},
    "name": ("name",),
    **{f"address_{part}": (f"address_{part}",) for part in _ADDRESS},
    "address_postal_code": ("address_zip",),
}
_VOCABULARIES: Mapping[str, Vocabulary] = {"card": _CARD, "source": _SOURCE}
"""By the source's own `object`; the other kinds have no second view."""


def has_second_view(kind: str) -> bool:
    """Tell whether a source of this kind is shown as a PaymentMethod too."""
    return kind in _VOCABULARIES


def shared_by_payment_method(content: bytes) -> bytes:
    """Return the shared values that a PaymentMethod, or its previous attributes, shows."""
    return _encode(_read(parsed(content), _PAYMENT_METHOD))


def in_shared_values(snapshots: Group, views: Group, kind: str) -> Group:
    """Return both groups as one, every record cut to what a source of this kind shares."""
    vocabulary = _VOCABULARIES[kind]
    return merge_groups(
        _translated(snapshots, lambda content: _read(content, vocabulary)),
        _translated(views, lambda shared: _only(shared, vocabulary)),
    )


def values_of(record: Record) -> Shared:
    """Return the shared values that a record in shared values shows."""
    values = parsed(record.object)
    return values if isinstance(values, dict) else {}


def showing_more(group: Group, known: Shared) -> Group:
    """Return the records that show a value which is not yet known; a view may show but a part."""
    more = {
        second: {key: record for key, record in records.items() if values_of(record).keys() - known}
        for second, records in group.items()
    }
    return {second: records for second, records in more.items() if records}


def overlaid(body: bytes, shared: Shared, kind: str) -> bytes:
    """Return a source's body with the shared values that differ laid over it."""
    vocabulary = _VOCABULARIES[kind]
    object_ = parsed(body)
    shown = _read(object_, vocabulary)
    differing = {
        name for name, value in shared.items() if (shown.get(name) or None) != (value or None)
    }
    if not differing:
        return body
    # Where there was no address, one comes whole, with the parts that are null.
    made = {
        vocabulary[name][:-1] for name in differing if not _is_inside(object_, vocabulary[name])
    }
    fields = fields_of(body) or {}
    for name, value in shared.items():
        top, *inner = vocabulary[name]
        if name in differing or vocabulary[name][:-1] in made:
            old = parsed(fields[top]) if top in fields else None
            fields[top] = msgspec.Raw(_encode(_placed(old, inner, value)))
    return msgspec.json.encode(fields)


def _is_inside(value: Json, path: tuple[str, ...]) -> bool:
    """Tell whether there is an object that holds what stands at the path, or would."""
    for key in path[:-1]:
        value = value.get(key) if isinstance(value, dict) else None
    return isinstance(value, dict)


def _read(value: Json, vocabulary: Vocabulary) -> Shared:
    shared: Shared = {}
    for name, path in vocabulary.items():
        for found in _found(value, path):
            shared[name] = found
    return shared


def _found(value: Json, path: tuple[str, ...]) -> tuple[Json] | tuple[()]:
    """Return what stands at the path, if anything does; an address that is null has null parts."""
    for place, key in enumerate(path):
        if value is None and place == len(path) - 1 > 1:
            break
        if not isinstance(value, dict) or key not in value:
            return ()
        value = value[key]
    return (value,) if path != _METADATA or isinstance(value, dict | None) else ()


def _placed(old: Json, path: list[str], value: Json) -> Json:
    if not path:
        return value
    inside = old if isinstance(old, dict) else {}
    return inside | {path[0]: _placed(inside.get(path[0]), path[1:], value)}


def _only(shared: Json, vocabulary: Vocabulary) -> Shared:
    """Leave out what this kind does not show: a card has neither e-mail nor phone."""
    items = shared.items() if isinstance(shared, dict) else ()
    return {name: value for name, value in items if name in vocabulary}


def _translated(group: Group, translate: Callable[[Json], Shared]) -> Group:
    return {
        second: {
            key: msgspec.structs.replace(
                record,
                object=_encode(translate(parsed(record.object))),
                previous=_previous(record, translate),
            )
            for key, record in records.items()
        }
        for second, records in group.items()
    }


def _previous(record: Record, translate: Callable[[Json], Shared]) -> bytes:
    return _encode(translate(parsed(record.previous))) if record.previous else b""


_encode = msgspec.json.Encoder(decimal_format="number").encode
