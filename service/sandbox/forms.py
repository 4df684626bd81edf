"""How parameters travel: `a[b][c]=v` and `a[]=v` become nested hashes and arrays of text."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import parse_qsl

from service.sandbox.errors import StripeError

Value: TypeAlias = "str | Form | list[Value]"
Form: TypeAlias = dict[str, Value]

Given: TypeAlias = "str | int | float | bool | Mapping[str, Given] | Sequence[Given] | None"
"""What a caller in this process may pass: what is no text yet becomes text as in a form."""

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
KEY = re.compile(r"\[([^\[\]]*)\]")
DEPTH = 8
FIELDS = 2_000


def decode(text: str) -> Form:
    """Return the parameters of a query string or a form body.

    Raises StripeError for what cannot be read.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except UnicodeDecodeError:
        raise StripeError("Invalid UTF-8 in the request's parameters.") from None
    except ValueError:
        raise StripeError("The request has too many parameters.") from None
    form: Form = {}
    for name, value in pairs:
        matched = NAME.fullmatch(name)
        keys = [matched[1], *KEY.findall(matched[2])] if matched else []
        if not keys or len(keys) > DEPTH:
            raise StripeError(f"Invalid parameter name: {name}", param=name)
        _put(form, keys, value, name)
    return form


def plain(given: Mapping[str, Given]) -> Form:
    """Return parameters as they would arrive in a form."""
    return {name: _text(value) for name, value in given.items()}


def _put(form: Form, keys: list[str], value: str, name: str) -> None:
    key, *rest = keys
    if not rest:
        form[key] = value
    elif rest[0]:
        inside = form.setdefault(key, {})
        if not isinstance(inside, dict):
            raise StripeError("Invalid object", param=name)
        _put(inside, rest, value, name)
    else:
        items = form.setdefault(key, [])
        if not isinstance(items, list):
            raise StripeError("Invalid array", param=name)
        _append(items, rest[1:], value, name)


def _append(items: list[Value], keys: list[str], value: str, name: str) -> None:
    """Add to an array; a key that the last hash has already begins the next one."""
    if not keys:
        items.append(value)
        return
    last = items[-1] if items else None
    if not isinstance(last, dict) or keys[0] in last:
        last = {}
        items.append(last)
    _put(last, keys, value, name)


def _text(value: Given) -> Value:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, str | int | float):
        return str(value)
    return [_text(item) for item in value]
