"""The description of every URL, as OpenAPI 3.1: what may be asked, what is answered, when it fails.

A test holds it against the routes, both ways, and against answers of the running application.
"""

from typing import Any, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from service.web.api_keys import ACCOUNT
from service.web.openapi_schemas import SCHEMAS
from service.web.parameters import DEFAULT_LIMIT, KINDS, MAX_LIMIT
from service.web.queries import OF_CUSTOMER, OF_LIST
from service.web.read_your_write import AFTER, MAX_WAIT_SECONDS

Json: TypeAlias = dict[str, Any]


async def openapi(_request: Request) -> Response:
    """GET /openapi.json."""
    return Response(DOCUMENT_BYTES, media_type="application/json")


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(name: str) -> Json:
    return {"application/json": {"schema": _schema(name)}}


def _header(description: str) -> Json:
    return {"description": description, "schema": {"type": "string"}}


def _parameter(
    place: str, name: str, description: str, *, required: bool = False, **schema: object
) -> Json:
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": description,
        "schema": schema or {"type": "string"},
    }


def _error(description: str, **more_headers: Json) -> Json:
    headers = {"Request-Id": REQUEST_ID} | {
        name.replace("_", "-"): header for name, header in more_headers.items()
    }
    return {"description": description, "headers": headers, "content": _content("error")}


REQUEST_ID = _header("The id of this request, as Stripe's clients show it; our log has it too.")

FRESHNESS = {
    "ETag": _header("Strong: a hash of the body."),
    "Last-Modified": _header("Stripe's time of the newest event in the answer."),
    "Onfile-Event": _header("The id of the newest event in the answer; absent after a read."),
    "Onfile-Default-Basis": {
        "description": "How the customer's default source was reached: confirmed by events, "
        "inferred from a rule of Stripe's, or ambiguous.",
        "schema": {"type": "string", "enum": ["confirmed", "inferred", "ambiguous"]},
    },
    "Onfile-Ambiguous": _header(
        "What events could not decide, comma-separated: default, order, object. Absent when "
        "everything is decided."
    ),
    "Request-Id": REQUEST_ID,
    "Cache-Control": _header("private, no-cache: may be kept, must be asked for again."),
    "Vary": _header("Authorization, Stripe-Account"),
    "Preference-Applied": _header("The wait that was obeyed, when Onfile-After came with one."),
}

ASKED_OF_ALL = [
    _parameter(
        "header",
        "Stripe-Account",
        "Read this connected account instead of your own.",
        type="string",
        pattern=f"^{ACCOUNT.pattern}$",
    ),
    _parameter(
        "header", "If-None-Match", "ETags you have: the answer is 304 if it is one of them."
    ),
    _parameter(
        "header",
        "Onfile-After",
        "The Request-Id that Stripe gave your write (req_…), or an event (evt_…): answer only when "
        "it has been applied.",
        type="string",
        pattern=f"^{AFTER.pattern}$",
    ),
    _parameter(
        "header",
        "Prefer",
        f"wait=SECONDS, at most {MAX_WAIT_SECONDS}: how long to wait for Onfile-After. Without it "
        "the log is asked once.",
        type="string",
        pattern="^wait=[0-9]{1,9}$",
    ),
]

FAILURES = {
    "400": _error("A parameter or header that cannot be understood; `param` names it."),
    "401": _error("No API key, or a wrong one.", WWW_Authenticate=_header('Bearer realm="Onfile"')),
    "405": _error("Onfile only reads.", Allow=_header("The methods this URL takes.")),
    "429": _error(
        "Too many wrong API keys are being tried at once.",
        Retry_After=_header("Seconds after which to try again."),
    ),
    "500": _error("A bug of ours."),
    "503": _error("A store is away.", Retry_After=_header("Seconds after which to try again.")),
    "504": _error(
        "`projection_behind`: what Onfile-After names has not been applied in time.",
        **{"Preference-Applied": FRESHNESS["Preference-Applied"]},
    ),
}

MISSING = {"404": _error("No such object for this key, in this mode and account.")}

CUSTOMER_ID = _parameter("path", "customer", "The customer's id.", required=True, type="string")


PAGING = (
    _parameter(
        "query",
        "limit",
        "How many at most.",
        type="integer",
        minimum=1,
        maximum=MAX_LIMIT,
        default=DEFAULT_LIMIT,
    ),
    _parameter("query", "starting_after", "The page after this item.", type="string", minLength=1),
    _parameter(
        "query", "ending_before", "The page just before this item.", type="string", minLength=1
    ),
)


def _expand(what: str, *paths: str) -> Json:
    items: Json = {"type": "string", "enum": list(paths)} if paths else {"type": "string"}
    expand = _parameter("query", "expand[]", what, type="array", items=items)
    return expand | {"style": "form", "explode": True}


def _query(summary: str, answer: str, *parameters: Json) -> Json:
    """Describe a query: they differ in what is asked and in the object answered."""
    return {
        "summary": summary,
        "tags": ["queries"],
        "security": [{"bearer": []}, {"basic": []}],
        "parameters": [*parameters, *ASKED_OF_ALL],
        "responses": {
            "200": {
                "description": "Found.",
                "headers": FRESHNESS,
                "content": _content(answer),
            },
            "304": {"description": "You have it already.", "headers": FRESHNESS},
            **MISSING,
            **FAILURES,
        },
    }


def _probe(summary: str, answer: str, *statuses: str) -> Json:
    responses = {
        status: {"description": answer, "content": _content(answer)} for status in statuses
    }
    return {
        "summary": summary,
        "tags": ["operation"],
        "security": [],
        "responses": {**responses, "405": FAILURES["405"]},
    }


PATHS: dict[str, Json] = {
    "/v1/customers/{customer}": {
        "get": _query(
            "A customer; a deleted one answers as a stub.",
            "customer_or_deleted",
            CUSTOMER_ID,
            _expand(
                "default_source (the object for the id), sources (the 10 newest).",
                *OF_CUSTOMER.here,
            ),
        )
    },
    "/v1/customers/{customer}/sources": {
        "get": _query(
            "A customer's payment sources, newest first.",
            "source_list",
            CUSTOMER_ID,
            _parameter("query", "object", "Only these.", type="string", enum=list(KINDS)),
            *PAGING,
            _expand("How many there are in all.", *OF_LIST.here),
        )
    },
    "/v1/customers/{customer}/default_source": {
        "get": _query(
            "A customer's default source itself; in an envelope when there is none.",
            "default_source",
            CUSTOMER_ID,
        )
    },
    "/v1/customers/{customer}/timeline": {
        "get": _query(
            "What changed a customer's sources or its default, newest first, and through what.",
            "timeline",
            CUSTOMER_ID,
            *PAGING,
        )
    },
    "/v1/customers/{customer}/sources/{id}": {
        "get": _query(
            "A payment source that a customer has.",
            "payment_source",
            CUSTOMER_ID,
            _parameter("path", "id", "The source's id.", required=True, type="string"),
            _expand("Nothing yet; what Stripe would expand is refused by name."),
        )
    },
    "/v1/sources/{source}": {
        "get": _query(
            "A Source (src_…), attached, never attached or consumed.",
            "source",
            _parameter("path", "source", "The Source's id.", required=True, type="string"),
            _parameter(
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
                _parameter("header", "Stripe-Signature", "t=…,v1=…", required=True, type="string")
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "responses": {
                "200": {
                    "description": "In the log, or known already, or of a type not projected.",
                    "content": _content("received"),
                },
                "400": _error("Not signed as it must be, or not an event."),
                "405": FAILURES["405"],
                "413": _error("Larger than the limit."),
                "500": FAILURES["500"],
                "503": FAILURES["503"],
            },
        }
    },
    "/healthz": {"get": _probe("The process is alive; asks no store.", "alive", "200")},
    "/readyz": {
        "get": _probe(
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
    "/openapi.json": {"get": _probe("This document.", "openapi", "200")},
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
