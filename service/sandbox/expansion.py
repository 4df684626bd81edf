"""`expand[]`: the object in place of its id, and lists that are absent unless asked for."""

from collections.abc import Sequence

from service.sandbox.errors import Json, StripeError
from service.sandbox.resources import customer_sources
from service.sandbox.resources.payment_method_views import has_view, view
from service.sandbox.transaction import Transaction

DEPTH = 4
OWNED = frozenset({"card", "bank_account", "bitcoin_receiver", "payment_method"})
"""Objects whose customer can be put in place. A Source's cannot."""

ALWAYS_EMPTY = frozenset({"subscriptions", "tax_ids"})
"""Lists of a customer that this sandbox has nothing for."""


def expanded(tx: Transaction, answer: Json, paths: Sequence[str]) -> Json:
    """Return an answer with everything that was asked for in place; raises StripeError."""
    if answer["object"] == "list" and "total_count" not in paths:
        answer = {key: value for key, value in answer.items() if key != "total_count"}
    for path in paths:
        keys = path.split(".")
        if len(keys) > DEPTH:
            raise StripeError(
                f"You cannot expand more than {DEPTH} levels of a property. Property: {path}"
            )
        if keys != ["total_count"] or answer["object"] != "list":
            answer = _expand(tx, answer, keys, path)
    return answer


def _expand(tx: Transaction, thing: Json, keys: list[str], path: str) -> Json:
    key, *rest = keys
    if thing.get("deleted"):
        return thing
    if thing.get("object") == "list":
        if key != "data":
            raise _refusal(path, f" You may want to try expanding 'data.{path}' instead.")
        data = thing["data"]
        return thing | {"data": [_expand(tx, each, rest, path) for each in data] if rest else data}
    value = _value(tx, thing, key, path)
    if rest and value is not None:
        value = _expand(tx, value, rest, path)
    return thing | {key: value}


def _value(tx: Transaction, thing: Json, key: str, path: str) -> Json | None:
    """Return what stands in place of an id; null stays null."""
    kind = thing.get("object")
    named: str | Json | None = thing.get(key)
    if isinstance(named, dict):  # there already, also when another path has put it in place
        return named
    if kind == "customer" and key == "default_source":
        return tx.books.sources.get(named or "")
    if kind == "customer" and (key == "sources" or key in ALWAYS_EMPTY):
        return _list(tx, thing["id"], key)
    if kind is None and key == "default_payment_method":
        source = tx.books.sources.get(named or "")
        return view(tx, source) if source and has_view(source) else None
    if kind in OWNED and key == "customer":
        return tx.books.customers.get(named or "")
    raise _refusal(path)


def _list(tx: Transaction, customer_id: str, key: str) -> Json:
    if key == "sources":
        return customer_sources.first_page(tx, customer_id)
    url = f"/v1/customers/{customer_id}/{key}"
    return {"object": "list", "data": [], "has_more": False, "total_count": 0, "url": url}


def _refusal(path: str, hint: str = "") -> StripeError:
    return StripeError(f"This property cannot be expanded ({path}).{hint}")
