"""Lists: newest first, in pages, by cursors that name an object of the whole list."""

from collections.abc import Callable, Sequence

from service.sandbox.errors import Json, StripeError, missing_parameter
from service.sandbox.parameters import Parameters

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
PAGING = ("ending_before", "limit", "starting_after")
COMPARISONS = ("gt", "gte", "lt", "lte")

Wanted = Callable[[Json], bool]


def everything(_item: Json) -> bool:
    """Want every object of a list."""
    return True


def page(
    items: Sequence[Json], given: Parameters, *, kind: str, url: str, wanted: Wanted = everything
) -> Json:
    """Return the part of a list that was asked for; `items` is all of it, newest first.

    `ending_before` gives those just before the cursor. Raises StripeError for a cursor that names
    nothing, for two at once, and for a limit out of bounds.
    """
    for key in PAGING:
        given.refuse_empty(key)
    limit = _limit(given)
    after, before = given.text("starting_after"), given.text("ending_before")
    if after and before:
        raise StripeError(
            "Received both starting_after and ending_before parameters. Please pass in only one."
        )
    first = _place(items, after, kind, "starting_after") + 1 if after else 0
    end = _place(items, before, kind, "ending_before") if before else len(items)
    found = [item for item in items[first:end] if wanted(item)]
    data = found[-limit:] if before else found[:limit]
    return {
        "object": "list",
        "data": data,
        "has_more": len(found) > len(data),
        "total_count": sum(map(wanted, items)),
        "url": url,
    }


def created_within(given: Parameters) -> Wanted:
    """Return who tells whether an object was created when `created` says; raises StripeError."""
    value = given.value("created")
    if "created" not in given:
        return everything
    if isinstance(value, str):
        exactly = given.integer("created")
        return lambda item: item["created"] == exactly
    bounds = given.hash("created")
    bounds.only(*COMPARISONS)
    limits = {key: bounds.integer(key) for key in COMPARISONS if key in bounds}
    return lambda item: all(
        _compares(item["created"], key, limit) for key, limit in limits.items() if limit is not None
    )


def _compares(second: int, comparison: str, limit: int) -> bool:
    if second == limit:
        return comparison.endswith("e")
    return (second > limit) == comparison.startswith("g")


def _limit(given: Parameters) -> int:
    limit = given.integer("limit")
    if limit is None:
        return DEFAULT_LIMIT
    if 1 <= limit <= MAX_LIMIT:
        return limit
    bound = "greater than or equal to 1" if limit < 1 else f"less than or equal to {MAX_LIMIT}"
    raise StripeError(
        f"This value must be {bound}.", code="parameter_invalid_integer", param="limit"
    )


def _place(items: Sequence[Json], cursor: str, kind: str, param: str) -> int:
    for place, item in enumerate(items):
        if item["id"] == cursor:
            return place
    raise missing_parameter(kind, cursor, param)
