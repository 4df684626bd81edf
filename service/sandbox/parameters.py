"""Parameters being read: each reader gives a checked value or Stripe's refusal.

Absent means unchanged, empty means unset: `in` tells the first, a reader's None the second.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from service.sandbox.errors import Json, StripeError
from service.sandbox.forms import Form, Value

INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
TEXT_CHARACTERS = 5_000


class Parameters:
    """A hash of parameters; `path` is where it stands inside the request's."""

    def __init__(self, values: Form, path: str = "") -> None:
        self._values = values
        self._path = path

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def param(self, key: str) -> str:
        """Return the full name of a parameter."""
        return f"{self._path}[{key}]" if self._path else key

    def only(self, *known: str) -> None:
        """Raise StripeError if there are others than these."""
        unknown = [self.param(key) for key in self._values if key not in known]
        if unknown:
            plural = "s" if len(unknown) > 1 else ""
            raise StripeError(
                f"Received unknown parameter{plural}: {', '.join(unknown)}",
                code="parameter_unknown",
                param=unknown[0],
            )

    def require(self, key: str) -> None:
        """Raise StripeError if it is absent or empty."""
        if key not in self._values:
            param = self.param(key)
            raise StripeError(
                f"Missing required param: {param}.", code="parameter_missing", param=param
            )
        self.refuse_empty(key)

    def refuse_empty(self, key: str) -> None:
        """Raise StripeError if it is there and empty."""
        if self._values.get(key) == "":
            param = self.param(key)
            raise StripeError(
                f"You passed an empty string for '{param}'. We assume empty values are an attempt "
                f"to unset a parameter; however '{param}' cannot be unset. You should remove "
                f"'{param}' from your request or supply a non-empty value.",
                code="parameter_invalid_empty",
                param=param,
            )

    def value(self, key: str) -> Value:
        """Return it as it came; empty when absent."""
        return self._values.get(key, "")

    def text(self, key: str) -> str | None:
        """Return a text."""
        value = self.value(key)
        if not isinstance(value, str):
            raise StripeError(f"Invalid string: {value}", param=self.param(key))
        if len(value) > TEXT_CHARACTERS:
            raise StripeError(
                f"Invalid string: {value[:10]}…{value[-10:]}; must be at most {TEXT_CHARACTERS} "
                "characters",
                param=self.param(key),
            )
        return value or None

    def needed(self, key: str) -> str:
        """Return a text that must be given."""
        self.require(key)
        return self.text(key) or ""

    def integer(self, key: str) -> int | None:
        """Return a whole number."""
        text = self.text(key)
        if text is None:
            return None
        if not INTEGER.fullmatch(text):
            raise StripeError(
                f"Invalid integer: {text}",
                code="parameter_invalid_integer",
                param=self.param(key),
            )
        return int(text)

    def hash(self, key: str) -> "Parameters":
        """Return a hash; an absent or an empty one has nothing in it."""
        value = self.value(key)
        if value == "":
            return Parameters({}, self.param(key))
        if not isinstance(value, dict):
            raise StripeError("Invalid object", param=self.param(key))
        return Parameters(value, self.param(key))

    def array(self, key: str) -> "list[Parameters | str]":
        """Return an array; Stripe's clients number its items, others leave the brackets empty."""
        value = self.value(key)
        if isinstance(value, dict) and all(name.isdecimal() for name in value):
            value = [value[name] for name in sorted(value, key=int)]
        if value == "":
            return []
        if not isinstance(value, list):
            raise StripeError("Invalid array", param=self.param(key))
        path = self.param(key)
        return [
            item if isinstance(item, str) else Parameters(_form(item, path), f"{path}[{index}]")
            for index, item in enumerate(value)
        ]

    def texts(self, key: str) -> list[str]:
        """Return an array of texts."""
        items = self.array(key)
        texts = [item for item in items if isinstance(item, str)]
        if len(texts) < len(items):
            raise StripeError("Invalid string", param=self.param(key))
        return texts

    def changes(self, readers: Mapping[str, "Reader"]) -> Json:
        """Return the values of the parameters that are there, each by its reader."""
        return {key: read(self, key) for key, read in readers.items() if key in self}


Reader: TypeAlias = Callable[[Parameters, str], Any]


def _form(value: Value, path: str) -> Form:
    if not isinstance(value, dict):
        raise StripeError("Invalid object", param=path)
    return value
