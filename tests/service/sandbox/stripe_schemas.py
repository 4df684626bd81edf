"""Stripe's published schemas as strict judges: nothing may stand in an object that they omit."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

SPEC = Path(__file__).parents[2] / "data" / "openapi" / "spec3.2020-08-27.get-subset.json"

UNPUBLISHED = frozenset({"bitcoin_receiver", "token"})
"""Objects that the subset has no schema for; their fields are checked by their own tests."""


def judge(thing: dict[str, Any]) -> None:
    """Raise AssertionError unless an answer is what Stripe says it would answer."""
    kind = thing.get("object")
    if "error" in thing:
        _validate("error", thing)
    elif kind == "list":
        assert set(thing) - {"total_count"} == {"object", "data", "has_more", "url"}
        for each in thing["data"]:
            judge(each)
    elif kind not in UNPUBLISHED:
        _validate(f"deleted_{kind}" if "deleted" in thing else str(kind), thing)
        if kind == "event":
            judge(thing["data"]["object"])


def _validate(name: str, thing: dict[str, Any]) -> None:
    for problem in _validator(name).iter_errors(thing):
        where = "/".join(map(str, problem.absolute_path))
        raise AssertionError(f"{name} {where}: {problem.message}")


@cache
def _schemas() -> Any:
    return _closed(json.loads(SPEC.read_bytes())["components"]["schemas"])


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": {"schemas": _schemas()}}
    )


def _closed(schema: Any) -> Any:
    """Return OpenAPI 3.0 as JSON Schema: `nullable` spelt out, and no field that is not named."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    new = {key: _closed(value) for key, value in schema.items()}
    if isinstance(new.get("properties"), dict) and isinstance(new.get("type"), str):
        new.setdefault("additionalProperties", False)
        if "has_more" in new["properties"]:  # an embedded list counts, which no schema says
            new["properties"]["total_count"] = {"type": "integer"}
    if new.pop("nullable", False) is True:
        new = {"anyOf": [{"type": "null"}, new]}
    return new
