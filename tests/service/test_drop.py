"""The drop: the fields of a group are gone, and everything else stands as it was written."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.drop import DEEPEST, KEEP_ALL, Drop
from service.event import NotAnEventError
from service.personal_fields import GROUPS, IMPERSONAL, NEVER_NULL

DATA = Path(__file__).parents[1] / "data"
SPEC = DATA / "openapi" / "spec3.2020-08-27.get-subset.json"

ALL = Drop(GROUPS)
DROPPED = frozenset[str]().union(*GROUPS.values())
EMAIL = Drop(["email"])

SOUNDS_PERSONAL = re.compile(
    "name|mail|phone|address|line1|city|postal|zip|owner|shipping|dob|birth|tax_id|iban|sender|"
    "customer_data|user_agent|^ip$|username|cashtag|billing"
)
NOT_PERSONAL = re.compile(
    # of banks, of products, of the program on a card; what was checked, not what it was
    "bank_|pay_later_name|pay_now_name|pay_over_time_name|application_preferred_name|"
    "dedicated_file_name|_check$|iban_last4|shipping_delay|"
    # what lies inside of these goes by its own name
    "^owner$|^shipping$|^billing_details$|^multibanco$"
)
KINDS = ("customer", "card", "bank_account", "source", "payment_method", "source_transaction")


def dropped(value: Any, drop: Drop = ALL) -> Any:
    return json.loads(drop(json.dumps(value).encode()))


def exact(content: bytes) -> Any:
    """Return the value with every number as it was written."""
    return json.loads(content, parse_float=str, parse_int=str)


def recorded_events() -> Iterator[bytes]:
    for path in DATA.glob("webhook_fixtures*/*.json"):
        yield path.read_bytes()
    for path in DATA.glob("recorded/*/events.json"):
        for event in json.loads(path.read_bytes())["events"]:
            yield json.dumps(event, indent=2).encode()


def without(value: Any, drop_names: frozenset[str]) -> Any:
    """Say plainly what is left of a value, as a reader of the table would."""
    if isinstance(value, list):
        return [without(one, drop_names) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: one if name in IMPERSONAL else without(one, drop_names)
        for name, one in value.items()
        if name not in drop_names
    }


def properties(schemas: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], bool]]:
    """Yield each field of the objects that events carry: inside what, its name, its schema."""
    waiting, seen = [(kind, "") for kind in KINDS], set()
    while waiting:
        kind, within = waiting.pop()
        if (kind, within) in seen:
            continue
        seen.add((kind, within))
        for name, schema in schemas.get(kind, {}).get("properties", {}).items():
            yield within, name, schema, name in schemas[kind].get("required", ())
            if name not in IMPERSONAL | DROPPED:
                inner = re.findall(r"#/components/schemas/([\w.]+)", json.dumps(schema))
                waiting += [(one, name) for one in inner]


def test_what_is_named_is_null_and_nothing_else_is_touched() -> None:
    body = b'{"id":"cus_1","email":%s,"name":"J\\u00e9","balance":1.10,"big":12345678901234567890}'
    assert EMAIL(body % b'"a@b.example"') == body % b"null"


def test_a_delivery_stays_laid_out_as_stripe_lays_it_out() -> None:
    body = json.dumps({"data": {"object": {"email": "a", "list": [1, {}]}}}, indent=2)
    assert EMAIL(body.encode()).decode() == body.replace('"a"', "null")


@pytest.mark.parametrize(
    "body",
    [
        b'{"email" : null , "name": "Jane", "text": "\\"email\\": 1"}',
        b'{"metadata": {"email": "a@b.example"},  "receiver": {"address": "1100"}}',
        b'{"discount": {"coupon": {"name": "Summer"}}, "metadata": {"name": "\\u0041"}}',
        b'["email", "phone"]',
        b'"email"',
        b'{"name": 1',
        b'<html>{"email": 1}</html>',
        b"\xff\xfe",
        b"",
    ],
)
def test_where_there_is_nothing_to_drop_it_is_the_very_same(body: bytes) -> None:
    assert Drop(["email", "address"])(body) is body


def test_nothing_is_dropped_when_nothing_is_asked_for() -> None:
    body = b'{"email":"a@b.example"}'
    assert KEEP_ALL(body) is body
    assert not KEEP_ALL.concerns(body)


def test_what_stripe_never_shows_as_null_is_left_out() -> None:
    shipping = {"address": {"city": "Berlin"}, "name": "Jane", "carrier": "DHL"}
    assert dropped({"address": {"city": "Berlin"}, "shipping": shipping}) == {
        "address": None,
        "shipping": {"name": None, "carrier": "DHL"},
    }
    assert dropped({"source_order": {"email": "a", "amount": 1}}) == {"source_order": {"amount": 1}}
    assert dropped({"klarna": {"first_name": "Jane"}}) == {"klarna": {}}


def test_a_name_that_is_spelt_with_escapes_is_the_same_name() -> None:
    assert exact(ALL(b'{"\\u0065mail":"a@b.example"}')) == {"email": None}


def test_it_goes_wherever_a_source_may_stand() -> None:
    card = {"object": "card", "name": "Jane", "address_zip": "10115", "address_zip_check": "pass"}
    bare = card | {"name": None, "address_zip": None}
    shown = {
        "default_source": card,
        "sources": {"data": [card]},
        "cards": {"data": [card]},
        "active_card": card,
        "customer": {"default_card": card, "email": "a@b.example"},
    }
    assert dropped(shown) == {
        "default_source": bare,
        "sources": {"data": [bare]},
        "cards": {"data": [bare]},
        "active_card": bare,
        "customer": {"default_card": bare, "email": None},
    }


def test_what_is_nested_beyond_all_that_stripe_sends_is_dropped_whole() -> None:
    body = b'{"a":' * (DEEPEST + 10) + b'{"email":"a@b.example"}' + b"}" * (DEEPEST + 10)
    assert b"a@b" not in EMAIL(body)
    assert EMAIL(body).count(b'"a"') == DEEPEST + 1


def test_what_nobody_can_read_to_its_end_is_refused() -> None:
    levels = 20_000
    body = b'{"name":1,"a":' * levels + b"1" + b"}" * levels
    with pytest.raises(NotAnEventError, match="too_deep"):
        ALL(body)
    for cut in (b'{"email": 1', b'{"email": 1, "\xff": 2}'):
        with pytest.raises(NotAnEventError, match="not_json"):
            ALL(cut)


@pytest.mark.parametrize("body", [*recorded_events()])
def test_of_a_real_event_only_what_is_named_is_gone(body: bytes) -> None:
    bare = ALL(body)
    assert ALL(bare) == bare
    assert without(exact(bare), DROPPED) == without(exact(body), DROPPED)
    assert not ALL.concerns(json.dumps(without_impersonal(exact(bare))).encode())


def without_impersonal(value: Any) -> Any:
    if isinstance(value, list):
        return [without_impersonal(one) for one in value]
    if isinstance(value, dict):
        return {n: without_impersonal(one) for n, one in value.items() if n not in IMPERSONAL}
    return value


names = st.sampled_from(
    ["email", "name", "shipping", "address", "metadata", "a", "ä", "e\u0301", 'q"', "emai", "\\"]
)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers()
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text() | st.sampled_from(["email", '"email":1']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


@given(values, st.sets(st.sampled_from(sorted(GROUPS))), st.sampled_from([None, 2, 4]))
def test_only_named_fields_differ_and_doing_it_again_changes_nothing(
    value: Any, groups: set[str], indent: int | None
) -> None:
    drop = Drop(groups)
    body = json.dumps(value, indent=indent).encode()
    bare = drop(body)
    wanted = frozenset[str]().union(*(GROUPS[group] for group in groups))
    assert drop(bare) == bare
    assert without(exact(bare), wanted) == without(exact(body), wanted)
    assert (bare is body) or exact(bare) != exact(body)
    assert all(one is None for one in found(exact(bare), wanted))


def found(value: Any, wanted: frozenset[str]) -> Iterator[Any]:
    """Yield what stands under these names."""
    if isinstance(value, list):
        for one in value:
            yield from found(one, wanted)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name in wanted:
                yield one
            elif name not in IMPERSONAL:
                yield from found(one, wanted)


def test_every_field_of_stripes_objects_that_sounds_personal_is_in_a_group() -> None:
    schemas = json.loads(SPEC.read_bytes())["components"]["schemas"]
    sounding = {name for _, name, _, _ in properties(schemas) if SOUNDS_PERSONAL.search(name)}
    assert len(sounding) > 40
    assert {name for name in sounding - DROPPED if not NOT_PERSONAL.search(name)} == set()


def test_a_field_is_null_where_stripe_may_show_null_and_is_left_out_where_not() -> None:
    schemas = json.loads(SPEC.read_bytes())["components"]["schemas"]
    dropped_fields = [one for one in properties(schemas) if one[1] in DROPPED]
    assert len(dropped_fields) > 60
    for within, name, schema, required in dropped_fields:
        left_out = name in NEVER_NULL or f"{within}.{name}" in NEVER_NULL
        of_log_only = (within, name) == ("boleto", "tax_id")
        assert left_out or schema.get("nullable"), f"{within}.{name} is never null"
        assert not (left_out and required) or of_log_only, f"{within}.{name} is never left out"
