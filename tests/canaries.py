"""Stripe's objects with every field they can have, and in each personal one a text of its own.

They are made of Stripe's published schemas, so that a field that is new there is filled as well.
"""

import itertools
import json
from pathlib import Path
from typing import Any

from service.personal_fields import GROUPS, IMPERSONAL

SPEC = Path(__file__).parent / "data" / "openapi" / "spec3.2020-08-27.get-subset.json"
SCHEMAS = json.loads(SPEC.read_bytes())["components"]["schemas"]
PERSONAL = frozenset[str]().union(*GROUPS.values())

MARK = "canary"
"""In every canary, and in nothing else."""

_numbers = itertools.count(1)


def canary() -> str:
    """Return a text that has never been seen."""
    return f"{MARK}{next(_numbers)}"


def filled(kind: str, **known: Any) -> dict[str, Any]:
    """Return an object of Stripe's with all its fields; those that are known are as given."""
    made: dict[str, Any] = _value({"$ref": f"#/components/schemas/{kind}"}, private=False)
    return made | known


def _value(schema: dict[str, Any], *, private: bool) -> Any:
    if "$ref" in schema:
        return _value(SCHEMAS[schema["$ref"].rpartition("/")[2]], private=private)
    if "anyOf" in schema:
        return _value(schema["anyOf"][0], private=private)  # of what can be expanded, the id
    match schema["type"]:
        case "object":
            return {
                name: _value(field, private=private or name in PERSONAL)
                for name, field in schema.get("properties", {}).items()
                if name not in IMPERSONAL
            }
        case "array":
            return [_value(schema["items"], private=private)]
        case "string":
            return canary() if private else schema.get("enum", ["text"])[0]
        case kind:
            return {"boolean": False, "integer": 1, "number": 1}[kind]
