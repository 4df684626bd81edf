"""The drop: personal fields taken out of JSON, at every door through which it comes in.

Workers put what lies in the store from before through it again, so that what is dropped today is in
nothing that is written today.
"""

import re
from collections.abc import Iterable
from itertools import groupby

import msgspec

from service.event import NotAnEventError
from service.personal_fields import GROUPS, IMPERSONAL, NEVER_NULL

DEEPEST = 100
"""Stripe nests some ten levels; what shows any of it deeper than this is dropped whole."""


class Drop:
    """Takes the fields of some groups out of JSON: pure, idempotent, exact about all else."""

    def __init__(self, groups: Iterable[str] = ()) -> None:
        self._names = frozenset[str]().union(*(GROUPS[group] for group in groups))
        self._shown = re.compile(_pattern(self._names)) if self._names else None

    def __bool__(self) -> bool:
        """Tell whether it drops anything at all."""
        return self._shown is not None

    def concerns(self, content: bytes | msgspec.Raw) -> bool:
        """Tell fast whether JSON, or whatever holds JSON, may show any of it; never a wrong no."""
        if self._shown is None:
            return False
        return bool(self._shown.search(content) or _ESCAPED.search(content))

    def __call__(self, content: bytes) -> bytes:
        """Return JSON with these fields null, or left out where Stripe never shows null.

        The very same bytes where there is nothing to drop; else numbers and texts stand as they
        were written, and lines are indented by two if it had lines at all.

        Raises:
            NotAnEventError: not_json or too_deep: what cannot be looked into is not to be kept.

        """
        if not self.concerns(content):
            return content
        whole = msgspec.Raw(content.strip())
        try:
            bare = self._without(whole, "", 0)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise NotAnEventError("not_json") from None
        except RecursionError:
            raise NotAnEventError("too_deep") from None
        if bare is whole:
            return content
        return msgspec.json.format(bytes(bare), indent=2 if b"\n" in content else -1)

    def _without(self, value: msgspec.Raw, within: str, depth: int) -> msgspec.Raw:
        """Return a value without them; the very same if it shows none."""
        if not self.concerns(value):
            return value
        if depth > DEEPEST:
            return _NULL
        if bytes(value).startswith(b"{"):
            fields = _FIELDS.decode(value)
            bare = {
                name: kept
                for name, one in fields.items()
                if (kept := self._field(name, one, within, depth)) is not None
            }
            same = all(bare.get(name) is one for name, one in fields.items())
            return value if same else msgspec.Raw(msgspec.json.encode(bare))
        if bytes(value).startswith(b"["):
            items = _ITEMS.decode(value)
            rest = [self._without(item, within, depth + 1) for item in items]
            same = all(kept is item for kept, item in zip(rest, items, strict=True))
            return value if same else msgspec.Raw(msgspec.json.encode(rest))
        return value

    def _field(self, name: str, value: msgspec.Raw, within: str, depth: int) -> msgspec.Raw | None:
        """Return what stays of a field; None where it is left out."""
        if name in self._names:
            if bytes(value) == b"null":
                return value
            left_out = name in NEVER_NULL or f"{within}.{name}" in NEVER_NULL
            return None if left_out else _NULL
        return value if name in IMPERSONAL else self._without(value, name, depth + 1)


def _pattern(names: Iterable[str]) -> bytes:
    """Return what finds a name with a value; sorted by initial, so it is three times as fast.

    Inside of a text JSON escapes every quote, so what is found is the name of a field.
    """
    by_initial = (
        f"{initial}(?:{'|'.join(name[1:] for name in some)})"
        for initial, some in groupby(sorted(names), key=lambda name: name[0])
    )
    return rf'"(?:{"|".join(by_initial)})"\s*+:\s*+(?!null)'.encode()


KEEP_ALL = Drop()
"""Drops nothing, and costs nothing."""

_ESCAPED = re.compile(rb"\\u00[4-7]")
"""A letter that nobody needs to escape: a name may be spelt so, and is looked at more closely."""

_NULL = msgspec.Raw(b"null")
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
