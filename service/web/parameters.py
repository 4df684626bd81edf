"""What a query asks besides its path: the query string, checked as Stripe checks it."""

import re
from typing import NamedTuple
from urllib.parse import parse_qsl

from service.web.errors import RefusalError

EXPAND = re.compile(r"expand\[\d*\]")
"""`expand[]` is written by hand, `expand[0]` by Stripe's clients."""
INTEGER = re.compile(r"-?[0-9]{1,18}")

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
KINDS = ("card", "bank_account", "source")
"""The objects a list can be narrowed to."""


class ParameterError(RefusalError):
    """A query parameter, or a header of ours, that cannot be understood or obeyed."""

    reason = "bad_parameter"


class Expandable(NamedTuple):
    """What `expand[]` may name at one URL."""

    here: tuple[str, ...] = ()
    """What Onfile can put in place."""
    at_stripe: tuple[str, ...] = ()
    """What Stripe could and Onfile cannot, with all that lies below."""


class Parameters(NamedTuple):
    """A checked query string."""

    values: dict[str, str]
    expand: frozenset[str] = frozenset()


class Listing(NamedTuple):
    """Which part of a list is asked for."""

    kind: str = ""
    limit: int = DEFAULT_LIMIT
    starting_after: str = ""
    ending_before: str = ""


NOTHING_ASKED = Parameters({})
NOTHING_EXPANDABLE = Expandable()


def read_parameters(
    query_string: bytes, known: frozenset[str], expandable: Expandable
) -> Parameters:
    """Return the parameters of a query; of one given twice the last counts, as at Stripe.

    Raises ParameterError for an unknown name, an empty value, and what cannot be expanded.
    """
    if not query_string:
        return NOTHING_ASKED
    values: dict[str, str] = {}
    expand: list[str] = []
    unknown: list[str] = []
    for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
        if EXPAND.fullmatch(name):
            expand.append(value)
        elif name == "expand":
            raise ParameterError("Invalid array", param="expand")
        elif name in known:
            values[name] = _not_empty(name, value)
        else:
            unknown.append(name)
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        raise ParameterError(
            f"Received unknown parameter{plural}: {', '.join(unknown)}",
            code="parameter_unknown",
            param=unknown[0],
        )
    for path in expand:
        _check_expansion(path, expandable)
    return Parameters(values, frozenset(expand))


def read_listing(values: dict[str, str]) -> Listing:
    """Return which part of a list these parameters ask for; raises ParameterError."""
    kind = values.get("object", "")
    if kind and kind not in KINDS:
        raise ParameterError(
            f"Invalid object: must be one of {', '.join(KINDS[:-1])}, or {KINDS[-1]}",
            param="object",
        )
    return Listing(
        kind,
        _limit(values.get("limit", str(DEFAULT_LIMIT))),
        values.get("starting_after", ""),
        values.get("ending_before", ""),
    )


def _not_empty(name: str, value: str) -> str:
    if not value:
        raise ParameterError(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{name}' cannot be unset. You should remove '{name}' "
            "from your request or supply a non-empty value.",
            code="parameter_invalid_empty",
            param=name,
        )
    return value


def _limit(text: str) -> int:
    if not INTEGER.fullmatch(text):
        complaint = f"Invalid integer: {text}"
    elif int(text) < 1:
        complaint = "This value must be greater than or equal to 1."
    elif int(text) > MAX_LIMIT:
        complaint = f"This value must be less than or equal to {MAX_LIMIT}."
    else:
        return int(text)
    raise ParameterError(complaint, code="parameter_invalid_integer", param="limit")


def _check_expansion(path: str, expandable: Expandable) -> None:
    """Raise unless this URL can expand the path; Stripe sends neither code nor param here."""
    if path in expandable.here:
        return
    if any(f"{path}.".startswith(f"{theirs}.") for theirs in expandable.at_stripe):
        ours = " and ".join(expandable.here) or "nothing"
        raise ParameterError(
            f"This property cannot be expanded ({path}) by Onfile, though Stripe can. "
            f"Here Onfile expands {ours}."
        )
    raise ParameterError(f"This property cannot be expanded ({path}).{_hint(path, expandable)}")


def _hint(path: str, expandable: Expandable) -> str:
    """At a list, Stripe guesses that the `data.` in front was forgotten."""
    if "data" not in expandable.here or path.startswith("data."):
        return ""
    return f" You may want to try expanding 'data.{path}' instead."
