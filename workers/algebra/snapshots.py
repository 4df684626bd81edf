"""A snapshot: one record read far enough to be compared with the others of its second."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TypeAlias

import msgspec

from workers.algebra.facts import Record
from workers.algebra.objects import Fields, Json, default_of, defaults_in, parsed

Path: TypeAlias = tuple[str, ...]
Node: TypeAlias = tuple[bytes, ...]
"""An object's values at some paths: where it stands on the walk through its second."""


class Snapshot:
    """A record whose JSON is read only where somebody asks, and once."""

    def __init__(self, record: Record) -> None:
        self.record = record

    @property
    def rank(self) -> tuple[int, int]:
        """Phase, and a Source's status inside it."""
        return self.record.phase, self.record.status

    @cached_property
    def defaults(self) -> Fields:
        """The fields in which a customer names its default, as Stripe wrote them."""
        return defaults_in(self.record.object)

    @property
    def default(self) -> str | None:
        """The default source that a customer shows; empty for null, None where it does not tell."""
        return default_of(self.defaults)

    @cached_property
    def object(self) -> Json:
        """The object after the change."""
        return parsed(self.record.object)

    @cached_property
    def previous(self) -> Json:
        """What the change replaced: changed keys with their old values, or None."""
        return parsed(self.record.previous) if self.record.previous else None

    @cached_property
    def text(self) -> bytes:
        """The object in canonical form, in which an absent value, null and `{}` are the same."""
        shown = self.object
        if isinstance(shown, dict):
            shown = {name: value for name, value in shown.items() if value not in (None, {})}
        return _encode(shown)

    @cached_property
    def undone(self) -> Json:
        """The object before the change."""
        return _overlaid(self.object, self.previous) if self.previous else self.object

    def retells(self, other: "Snapshot") -> bool:
        """Tell whether both tell of one and the same change, made by one request."""
        request = self.record.request
        return bool(request) and request == other.record.request and self.change == other.change

    @cached_property
    def change(self) -> Node:
        """What it says was changed; where it does not say, all it shows."""
        if paths := sorted(self.paths()):
            return _encode(paths), *node(self.undone, paths), *node(self.object, paths)
        return (self.text,)

    @property
    def rendering(self) -> tuple[str, str, str]:
        """What it was told by; one event may be told in several versions of the API."""
        return self.record.event, self.record.api_version, self.record.type

    def is_part_of(self, other: "Snapshot") -> bool:
        """Tell whether the other shows all that this one does, and more."""
        mine, whole = (self.object, self.previous), (other.object, other.previous)
        return all(map(_is_part, mine, whole)) and not all(map(_is_part, whole, mine))

    def paths(self) -> Iterator[Path]:
        """Yield the leaf paths named in `previous`."""
        if isinstance(self.previous, dict):
            yield from _leaves(self.previous)


def node(value: Json, paths: Iterable[Path]) -> Node:
    """Return the values at these paths; an absent one and null are the same."""
    return tuple(_encode(_value_at(value, path)) for path in paths)


def _leaves(previous: dict[str, Json]) -> Iterator[Path]:
    waiting: list[tuple[Path, dict[str, Json]]] = [((), previous)]
    while waiting:
        above, mapping = waiting.pop()
        for key, value in mapping.items():
            if isinstance(value, dict) and value:
                waiting.append(((*above, key), value))
            else:
                yield (*above, key)


def _is_part(part: Json, whole: Json) -> bool:
    """Tell whether a value is another one but for what is null or not there."""
    if part is None:
        return True
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(_is_part(value, whole.get(name)) for name, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(_is_part, part, whole))
    return part == whole


def _value_at(value: Json, path: Path) -> Json:
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _overlaid(value: Json, previous: Json) -> Json:
    if not (isinstance(value, dict) and isinstance(previous, dict)):
        return previous
    return value | {key: _overlaid(value.get(key), old) for key, old in previous.items()}


_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode
