"""The sandbox over HTTP: Stripe's own URLs, forms in, indented JSON out, events on their way."""

import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.sandbox import keys, operations
from service.sandbox.delivery import Delivery
from service.sandbox.errors import Json, StripeError
from service.sandbox.forms import Form, decode
from service.sandbox.parameters import Parameters
from service.sandbox.stripe import API_VERSION, Answer, Stripe

log = structlog.get_logger()

BODY_BYTES = 1024 * 1024
FORM = "application/x-www-form-urlencoded"
LONGEST_WAIT_SECONDS = 600.0
METHODS = ["DELETE", "GET", "PATCH", "POST", "PUT"]
"""The last ones only to be refused in Stripe's words."""


def create_app(stripe: Stripe, delivery: Delivery) -> Starlette:
    """Return the application; events are delivered while it runs."""

    async def serve(request: Request) -> Response:
        try:
            answer = await _ask(stripe, request)
        except StripeError as refused:
            answer = stripe.refuse(refused)
        delivery.post(answer.events)
        log.info(
            "sandbox.answered",
            method=request.method,
            path=request.url.path,
            status=answer.status,
            request_id=answer.request_id,
            events=[event["type"] for event in answer.events] or None,
        )
        return _response(answer, request)

    async def deliveries(request: Request) -> Response:
        """GET /v1/test_helpers/deliveries[?wait=SECONDS]: how delivery is going."""
        try:
            keys.is_secret(request.headers.get("authorization", ""))
            wait = Parameters(decode(request.url.query)).integer("wait") or 0
        except StripeError as refused:
            return _response(stripe.refuse(refused), request)
        if wait:
            await delivery.settled(min(wait, LONGEST_WAIT_SECONDS))
        body = {"object": "deliveries", "open": delivery.open, **dataclasses.asdict(delivery.tally)}
        return Response(_text(body), media_type="application/json")

    async def alive(_request: Request) -> Response:
        return Response(_text({"status": "alive"}), media_type="application/json")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with delivery:
            yield

    app = Starlette(
        routes=[
            Route("/healthz", alive, methods=["GET"]),
            Route("/v1/test_helpers/deliveries", deliveries, methods=["GET"]),
            Route("/{path:path}", serve, methods=METHODS),
        ],
        exception_handlers={Exception: _bug},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


async def _ask(stripe: Stripe, request: Request) -> Answer:
    headers, path = request.headers, request.url.path
    found = operations.find(request.method, path)
    publishable = bool(found and found[0].publishable)
    secret = keys.is_secret(headers.get("authorization", ""))
    if not secret and not publishable:
        raise keys.refuse_publishable()
    account = keys.account(headers.get("stripe-account"))
    parameters = await _parameters(request)
    if not secret and request.method == "GET" and path.startswith("/v1/sources/"):
        Parameters(parameters).require("client_secret")
    return stripe.call(
        request.method,
        path,
        parameters,
        idempotency_key=headers.get("idempotency-key", ""),
        account=account,
    )


async def _parameters(request: Request) -> Form:
    """Return the parameters: of the query string for GET and DELETE, else of the body too."""
    form = decode(request.url.query)
    if request.method != "POST":
        return form
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES:
            raise StripeError("The request is too large.", status=413)
    if body and request.headers.get("content-type", FORM).partition(";")[0].strip() != FORM:
        raise StripeError(
            f"Invalid Content-Type: please send parameters as {FORM}, as Stripe's clients do."
        )
    try:
        return form | decode(body.decode("ascii"))
    except UnicodeDecodeError:
        raise StripeError("The request's parameters must be percent-encoded.") from None


async def _bug(request: Request, error: Exception) -> Response:
    """Answer what nobody foresaw; the server logs the traceback."""
    log.error("sandbox.failed", path=request.url.path, error=type(error).__name__)
    message = "Something went wrong inside the sandbox; its log tells what."
    body = {"error": {"message": message, "type": "api_error"}}
    return Response(_text(body), 500, media_type="application/json")


def _response(answer: Answer, request: Request) -> Response:
    headers = {"Request-Id": answer.request_id, "Stripe-Version": API_VERSION}
    for name in ("Idempotency-Key", "Stripe-Account"):
        if value := request.headers.get(name):
            headers[name] = value
    if answer.replayed:
        headers = headers | {"Idempotent-Replayed": "true", "Original-Request": answer.replayed}
    return Response(_text(answer.body), answer.status, headers, media_type="application/json")


def _text(body: Json) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
