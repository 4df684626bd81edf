"""Every answer that is not the thing asked for, in Stripe's shape: {"error": {"type", …}}.

A query raises; one table in `app` maps the exception's class to a status; the handlers here
write the body. A class that is not in the table is a bug and is answered by `bug`.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

log = structlog.get_logger()

NOT_FOUND = 404
SERVER_ERROR = 500
"""From here on it is our fault."""

RETRY_AFTER_SECONDS = 1
"""A store that restarts is back within a second or two; Stripe's client waits less by itself."""

LACKING_RETRY_AFTER_SECONDS = 60
"""What is lacking only an operator can give."""

PROCESS = secrets.token_hex(4)
"""Tells apart the request ids of processes; a random one each time would cost a system call."""

NOT_KEPT = {
    "/v1/customers": "Onfile knows customers by their ids and lists none: ask Stripe.",
    "/v1/customers/search": "Onfile knows customers by their ids and searches none: ask Stripe.",
}
"""What Stripe has at these URLs, where a client of Stripe's may well ask for it."""

_COUNT = count(1)

Handler = Callable[[Request, Any], Awaitable[Response]]


class RefusalError(Exception):
    """A query that cannot be answered; `code` and `param` are left out where Stripe has none."""

    type = "invalid_request_error"
    reason = ""
    """What it was, in a word for the log; each subclass has its own."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        param: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.headers = dict(headers or {})


def new_request_id() -> str:
    """Return what Stripe's clients show as `request_id`, so that a log line can be found by it."""
    return f"req_{PROCESS}{next(_COUNT):08x}"


def refused(status: int) -> Handler:
    """Return the handler that answers a `RefusalError` with this status."""

    async def answer(request: Request, error: RefusalError) -> Response:
        return stripe_error(
            request,
            status,
            {
                "type": error.type,
                "message": error.message,
                "code": error.code,
                "param": error.param,
            },
            error.headers,
            reason=error.reason,
        )

    return answer


async def store_away(request: Request, _error: Exception) -> Response:
    """Answer a query whose store does not answer: come back in a moment."""
    return stripe_error(
        request,
        503,
        {
            "type": "api_error",
            "code": "store_unavailable",
            "message": "Onfile cannot reach its store at the moment. Please try again.",
        },
        {"Retry-After": str(RETRY_AFTER_SECONDS)},
        reason="store_unavailable",
    )


async def lacking(request: Request, error: Exception) -> Response:
    """Answer a query about what is well kept and cannot be read by this process."""
    response = stripe_error(
        request,
        503,
        {
            "type": "api_error",
            "code": "store_unreadable",
            "message": "Onfile cannot read this at the moment; its operators are told why. "
            "Please try again later.",
        },
        {"Retry-After": str(LACKING_RETRY_AFTER_SECONDS)},
        reason="store_unreadable",
    )
    log.error("query.unreadable", request_id=response.headers["request-id"], reason=str(error))
    return response


async def unrouted(request: Request, error: HTTPException) -> Response:
    """Answer what no route takes: an unknown URL, or another method than the route's."""
    asked = f"{request.method}: {request.scope['path']}"  # `url` fails on a query of no UTF-8
    headers = dict(error.headers or {})
    allowed = headers.get("Allow", "")
    if error.status_code == NOT_FOUND:
        message = (
            f"Unrecognized request URL ({asked}). If you are trying to list objects, remove the "
            "trailing slash. If you are trying to retrieve an object, make sure you passed a valid "
            "(non-empty) identifier in your code. What Onfile answers stands in /openapi.json."
        )
        if request.scope["path"] in NOT_KEPT:
            message += f" {NOT_KEPT[request.scope['path']]}"
    elif "GET" in allowed:
        message = (
            f"Onfile only reads ({asked}). What changes a customer or a payment source goes to "
            "Stripe itself, and comes back here as an event."
        )
    else:
        message = f"This URL takes only {allowed} ({asked})."
    error_body = {"type": "invalid_request_error", "message": message}
    reason = "unknown_url" if error.status_code == NOT_FOUND else "method_not_allowed"
    return stripe_error(request, error.status_code, error_body, headers, reason=reason)


async def bug(request: Request, error: Exception) -> Response:
    """Answer what nobody foresaw; the traceback follows in the log."""
    response = stripe_error(
        request,
        500,
        {
            "type": "api_error",
            "message": "Something went wrong inside Onfile; its log tells what, by this id.",
        },
        {},
        reason="bug",
    )
    log.error("query.failed", request_id=response.headers["request-id"], error=type(error).__name__)
    return response


def stripe_error(
    request: Request,
    status: int,
    error: Mapping[str, str],
    headers: Mapping[str, str],
    *,
    reason: str,
) -> Response:
    """Return the response, and log it: by its reason and its route, never by what was asked."""
    request_id = new_request_id()
    _say(status)(
        "query.refused",
        status=status,
        reason=reason,
        route=getattr(request.scope.get("route"), "path", None),
        param=_known_shape(error.get("param", "")),
        method=request.method,
        request_id=request_id,
    )
    body = {"error": {name: value for name, value in error.items() if value}}
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type="application/json",
        headers={
            "Request-Id": request_id,
            "Cache-Control": "no-store",
            "Vary": "Authorization, Stripe-Account",
            **headers,
        },
    )


def _known_shape(param: str) -> str | None:
    """Return a parameter's name for the log; one that the caller made up may hold anything."""
    return param if _PARAM.fullmatch(param) else None


_PARAM = re.compile(r"[a-z_]{1,30}(\[[a-z_0-9]{0,30}\])?")


def _say(status: int) -> Callable[..., Any]:
    """Asking for what is not there is everyday; a wrong key or parameter may be a mistake."""
    if status >= SERVER_ERROR:
        return log.warning  # type: ignore[no-any-return]
    return log.debug if status == NOT_FOUND else log.info  # type: ignore[no-any-return]
