"""What the description of the URLs is made of: parameters, headers, and how requests fail."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from service.web.api_keys import ACCOUNT
from service.web.parameters import DEFAULT_LIMIT, MAX_LIMIT
from service.web.read_your_write import AFTER, MAX_WAIT_SECONDS

Json: TypeAlias = dict[str, Any]

NO_LINKS: Mapping[str, Json] = MappingProxyType({})


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def content(name: str) -> Json:
    """Return a JSON body of one of SCHEMAS."""
    return {"application/json": {"schema": _schema(name)}}


def _header(description: str) -> Json:
    return {"description": description, "schema": {"type": "string"}}


def parameter(
    place: str, name: str, description: str, *, required: bool = False, **schema: object
) -> Json:
    """Return a parameter; `place` is query, path or header. Without a schema it is a text."""
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": description,
        "schema": schema or {"type": "string"},
    }


def error(description: str, **more_headers: Json) -> Json:
    """Return a refusal in Stripe's shape."""
    headers = {"Request-Id": REQUEST_ID} | {
        name.replace("_", "-"): header for name, header in more_headers.items()
    }
    return {"description": description, "headers": headers, "content": content("error")}


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
    parameter(
        "header",
        "Stripe-Account",
        "Read this connected account instead of your own.",
        type="string",
        pattern=f"^{ACCOUNT.pattern}$",
    ),
    parameter("header", "If-None-Match", "ETags you have: the answer is 304 if it is one of them."),
    parameter(
        "header",
        "Onfile-After",
        "The Request-Id that Stripe gave your write (req_…), or an event (evt_…): answer only when "
        "it has been applied.",
        type="string",
        pattern=f"^{AFTER.pattern}$",
    ),
    parameter(
        "header",
        "Prefer",
        f"wait=SECONDS, at most {MAX_WAIT_SECONDS}: how long to wait for Onfile-After. Without it "
        "the log is asked once.",
        type="string",
        pattern="^wait=[0-9]{1,9}$",
    ),
]

FAILURES = {
    "400": error("A parameter or header that cannot be understood; `param` names it."),
    "401": error("No API key, or a wrong one.", WWW_Authenticate=_header('Bearer realm="Onfile"')),
    "405": error("Onfile only reads.", Allow=_header("The methods this URL takes.")),
    "429": error(
        "Too many wrong API keys are being tried at once.",
        Retry_After=_header("Seconds after which to try again."),
    ),
    "500": error("A bug of ours."),
    "503": error(
        "A store is away, or what lies in it cannot be decrypted.",
        Retry_After=_header("Seconds after which to try again."),
    ),
    "504": error(
        "`projection_behind`: what Onfile-After names has not been applied in time.",
        **{"Preference-Applied": FRESHNESS["Preference-Applied"]},
    ),
}

MISSING = {"404": error("No such object for this key, in this mode and account.")}

CUSTOMER_ID = parameter("path", "customer", "The customer's id.", required=True, type="string")


PAGING = (
    parameter(
        "query",
        "limit",
        "How many at most.",
        type="integer",
        minimum=1,
        maximum=MAX_LIMIT,
        default=DEFAULT_LIMIT,
    ),
    parameter("query", "starting_after", "The page after this item.", type="string", minLength=1),
    parameter(
        "query", "ending_before", "The page just before this item.", type="string", minLength=1
    ),
)


def expand(what: str, *paths: str) -> Json:
    """Return the parameter that expands these paths; `what` says what they are."""
    items: Json = {"type": "string", "enum": list(paths)} if paths else {"type": "string"}
    given = parameter("query", "expand[]", what, type="array", items=items)
    return given | {"style": "form", "explode": True}


def link(path: str, **parameters: str) -> Json:
    """Return what may be asked next, its parameters as OpenAPI's runtime expressions."""
    return {"operationRef": f"#/paths/{path.replace('/', '~1')}/get", "parameters": parameters}


def query(
    summary: str, answer: str, *parameters: Json, links: Mapping[str, Json] = NO_LINKS
) -> Json:
    """Describe a query: they differ in what is asked, what is answered, what follows from it."""
    return {
        "summary": summary,
        "tags": ["queries"],
        "security": [{"bearer": []}, {"basic": []}],
        "parameters": [*parameters, *ASKED_OF_ALL],
        "responses": {
            "200": {
                "description": "Found.",
                "headers": FRESHNESS,
                "content": content(answer),
                **({"links": dict(links)} if links else {}),
            },
            "304": {"description": "You have it already.", "headers": FRESHNESS},
            **MISSING,
            **FAILURES,
        },
    }


def probe(summary: str, answer: str, *statuses: str) -> Json:
    """Return a URL that needs no key and gives the same kind of answer with each status."""
    responses = {status: {"description": answer, "content": content(answer)} for status in statuses}
    return {
        "summary": summary,
        "tags": ["operation"],
        "security": [],
        "responses": {**responses, "405": FAILURES["405"]},
    }
