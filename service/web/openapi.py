"""The description of every URL, as OpenAPI 3.1: what may be asked, what is answered, when it fails.

A test holds it against the routes, both ways, and against answers of the running application.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from service.web.openapi_parts import (
    CUSTOMER_ID,
    FAILURES,
    PAGING,
    Json,
    content,
    error,
    expand,
    link,
    parameter,
    probe,
    query,
)
from service.web.openapi_schemas import SCHEMAS
from service.web.parameters import KINDS
from service.web.queries import OF_CUSTOMER, OF_LIST


async def openapi(_request: Request) -> Response:
    """GET /openapi.json."""
    return Response(DOCUMENT_BYTES, media_type="application/json")


SAME_CUSTOMER = "$request.path.customer"

PATHS: dict[str, Json] = {
    "/v1/customers/{customer}": {
        "get": query(
            "A customer; a deleted one answers as a stub.",
            "customer_or_deleted",
            CUSTOMER_ID,
            expand(
                "default_source (the object for the id), sources (the 10 newest).",
                *OF_CUSTOMER.here,
            ),
            links={
                what: link(f"/v1/customers/{{customer}}/{what}", customer=SAME_CUSTOMER)
                for what in ("sources", "default_source", "timeline")
            },
        )
    },
    "/v1/customers/{customer}/sources": {
        "get": query(
            "A customer's payment sources, newest first.",
            "source_list",
            CUSTOMER_ID,
            parameter("query", "object", "Only these.", type="string", enum=list(KINDS)),
            *PAGING,
            expand("How many there are in all.", *OF_LIST.here),
            links={
                "source": link(
                    "/v1/customers/{customer}/sources/{id}",
                    customer=SAME_CUSTOMER,
                    id="$response.body#/data/0/id",
                )
            },
        )
    },
    "/v1/customers/{customer}/default_source": {
        "get": query(
            "A customer's default source itself; in an envelope when there is none.",
            "default_source",
            CUSTOMER_ID,
        )
    },
    "/v1/customers/{customer}/timeline": {
        "get": query(
            "What changed a customer's sources or its default, newest first, and through what.",
            "timeline",
            CUSTOMER_ID,
            *PAGING,
        )
    },
    "/v1/customers/{customer}/sources/{id}": {
        "get": query(
            "A payment source that a customer has.",
            "payment_source",
            CUSTOMER_ID,
            parameter("path", "id", "The source's id.", required=True, type="string"),
            expand("Nothing yet; what Stripe would expand is refused by name."),
        )
    },
    "/v1/sources/{source}": {
        "get": query(
            "A Source (src_…), attached, never attached or consumed.",
            "source",
            parameter("path", "source", "The Source's id.", required=True, type="string"),
            parameter(
                "query",
                "client_secret",
                "If given, it must be the Source's own.",
                type="string",
                minLength=1,
            ),
        )
    },
    "/webhooks/stripe": {
        "post": {
            "summary": "Deliver an event, signed by Stripe. 200 means kept.",
            "tags": ["webhooks"],
            "security": [],
            "parameters": [
                parameter("header", "Stripe-Signature", "t=…,v1=…", required=True, type="string")
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "responses": {
                "200": {
                    "description": "In the log, or known already, or of a type not projected.",
                    "content": content("received"),
                },
                "400": error("Not signed as it must be, or not an event."),
                "405": FAILURES["405"],
                "413": error("Larger than the limit."),
                "500": FAILURES["500"],
                "503": FAILURES["503"],
            },
        }
    },
    "/healthz": {"get": probe("The process is alive; asks no store.", "alive", "200")},
    "/readyz": {
        "get": probe(
            "The stores answer (503 if not); how durable they are, workers, backlog, problems.",
            "readiness",
            "200",
            "503",
        )
    },
    "/metrics": {
        "get": {
            "summary": "The whole service as Prometheus reads it, whichever web process is asked.",
            "tags": ["operation"],
            "security": [{"operations": []}],
            "responses": {
                "200": {
                    "description": "Metrics, also while a store is away (onfile_store_up is 0).",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                },
                "401": FAILURES["401"],
                "405": FAILURES["405"],
                "500": FAILURES["500"],
            },
        }
    },
    "/openapi.json": {"get": probe("This document.", "openapi", "200")},
}

DOCUMENT: Json = {
    "openapi": "3.1.0",
    "info": {
        "title": "Onfile",
        "version": "1",
        "description": "Which payment sources does this Stripe customer have on file, and which "
        "one is the default? Objects are served as Stripe sent them. HEAD answers as GET does, "
        "without the body. Unknown URLs answer 404 with an error in the same shape.",
    },
    "paths": PATHS,
    "components": {
        "schemas": SCHEMAS,
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "operations": {
                "type": "http",
                "scheme": "bearer",
                "description": "The key of ONFILE_METRICS_KEY, or the operators' key.",
            },
            "basic": {
                "type": "http",
                "scheme": "basic",
                "description": "The API key as user name, no password.",
            },
        },
    },
}

DOCUMENT_BYTES = msgspec.json.encode(DOCUMENT)
