"""The shapes of all bodies, as JSON Schema; what Stripe sends inside its objects is left open."""

from typing import Any

import msgspec

from service.timeline import Change
from service.web.parameters import MAX_LIMIT


def _object(required: dict[str, Any], **optional: object) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


TEXT = {"type": "string"}
NUMBER = {"type": "number"}
COUNT = {"type": "integer", "minimum": 0}
TRUTH = {"type": "boolean"}
OR_NULL = {"type": "null"}

_, CHANGES = msgspec.json.schema_components([Change], ref_template="#/components/schemas/{name}")

SCHEMAS: dict[str, Any] = {
    "customer": _object(
        {
            "id": TEXT,
            "object": {"const": "customer"},
            "default_source": {"anyOf": [TEXT, OR_NULL, _ref("payment_source")]},
        },
        sources=_ref("source_list"),
    ),
    "deleted_customer": _object(
        {"id": TEXT, "object": {"const": "customer"}, "deleted": {"const": True}}
    ),
    "customer_or_deleted": {"anyOf": [_ref("customer"), _ref("deleted_customer")]},
    "payment_source": _object({"id": TEXT, "object": TEXT}),
    "source": _object({"id": TEXT, "object": {"const": "source"}}),
    "source_list": _object(
        {
            "object": {"const": "list"},
            "data": {"type": "array", "items": _ref("payment_source"), "maxItems": MAX_LIMIT},
            "has_more": TRUTH,
            "url": TEXT,
        },
        total_count=COUNT,
    ),
    "default_source": {
        "anyOf": [
            _ref("payment_source"),
            _object(
                {
                    "object": {"const": "default_source"},
                    "customer": TEXT,
                    "default_source": {"anyOf": [TEXT, OR_NULL]},
                }
            ),
        ]
    },
    "timeline": _object(
        {
            "object": {"const": "list"},
            "data": {"type": "array", "items": _ref("Change"), "maxItems": MAX_LIMIT},
            "has_more": TRUTH,
            "url": TEXT,
        }
    ),
    **CHANGES,
    "error": _object(
        {
            "error": _object(
                {
                    "type": {"enum": ["invalid_request_error", "api_error"]},
                    "message": TEXT,
                },
                code=TEXT,
                param=TEXT,
            )
        }
    ),
    "received": _object({"received": {"const": True}}),
    "alive": _object({"status": {"const": "alive"}}),
    "readiness": _object(
        {
            "ready": TRUTH,
            "store": _object(
                {"reachable": TRUTH}, appendonly=TEXT, appendfsync=TEXT, maxmemory_policy=TEXT
            ),
            "projection": _object({"reachable": TRUTH}),
            "workers": _object({"alive": {"anyOf": [COUNT, OR_NULL]}}),
            "backlog": {
                "anyOf": [
                    OR_NULL,
                    _object(
                        {
                            "pending": COUNT,
                            "oldest_seconds": {"anyOf": [NUMBER, OR_NULL]},
                            "failing": COUNT,
                        }
                    ),
                ]
            },
            "problems": {"type": "array", "items": TEXT},
        }
    ),
    "openapi": _object({"openapi": TEXT, "info": {"type": "object"}, "paths": {"type": "object"}}),
}
