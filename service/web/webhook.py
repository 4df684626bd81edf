"""The webhook: one delivery from its bytes to its status. The hot path, so no Request or Response.

read → verify → read the event → drop what is not to be kept → accept. Only an event that is kept,
or is not for us, earns a 200.
"""

import contextlib
import random
import time
from collections.abc import Callable
from typing import TypeAlias

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from service.drop import Drop
from service.event import NotAnEventError, Unprojected, read_event
from service.keys import METERS
from service.log.intake import Intake
from service.settings import Settings
from service.signature import SignatureError, match
from service.stores import StoreAwayError
from service.watch import traces
from service.watch.meters import ACCEPT, DELIVERIES, microseconds
from service.watch.secret_use import SecretUse

OK, REFUSED, TOO_LARGE, UNAVAILABLE = 200, 400, 413, 503
KEPT = ("accepted", "duplicate")
"""The outcomes that vouch for an event in the log."""

NO_ANSWER = 0
"""The sender left before there was anything to answer."""

DISCARDED_BYTES = 8 * 1024 * 1024
"""What is too large is read to its end up to here: a sender cut off in the middle of sending would
see a broken connection and never the answer."""

RETRY_AFTER_SECONDS = (1, 5)
"""Spread, so that what was turned away together does not come back together."""

MESSAGES = {
    "missing_secret": "This endpoint has no webhook secret.",
    "missing_header": "There is no Stripe-Signature header.",
    "malformed_header": "The Stripe-Signature header is not of the form t=…,v1=….",
    "no_expected_scheme": "The Stripe-Signature header holds no v1 signature.",
    "no_valid_signature": "No v1 signature fits these bytes and this endpoint's secrets.",
    "timestamp_outside_tolerance": "It was signed too long ago, or in the future.",
    "not_utf8": "The body is not UTF-8.",
    "not_json": "The body is not JSON.",
    "too_deep": "The body is nested too deeply.",
    "not_an_object": "The body is not a JSON object.",
    "not_an_event": "The body is a JSON object and not an event.",
    "bad_id": "The event has no id, or one that is no id of Stripe's.",
    "bad_type": "The event has no type, or one that is no type of Stripe's.",
    "bad_account": "The event's account is no id of Stripe's.",
    "bad_field": "A field of the event holds a value that no event of Stripe's holds.",
    "too_large": "The body is larger than any event.",
    "store_unavailable": "Onfile cannot reach its store at the moment. Send it again.",
}
"""Every reason for not answering 200; counter, log field and body say the same word."""

log = structlog.get_logger()


class Webhook:
    """The endpoint of POST /webhooks/stripe."""

    def __init__(
        self, settings: Settings, intake: Intake, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._body_limit = settings.body_limit_bytes
        self._drop = Drop(settings.drop_fields)
        self._tolerance = settings.signature_tolerance_seconds
        self._intake = intake
        self._traces = traces.exporter("web")
        self._clock = clock
        self.trust(settings.webhook_secrets)

    def trust(self, secrets: tuple[str, ...]) -> None:
        """Take what these secrets sign from now on, and nothing else."""
        self._secrets = secrets
        self._secret_use = SecretUse(secrets, self._intake.notes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery and log one line about it."""
        began = time.perf_counter()
        said: dict[str, object] = {}
        status, reason = OK, ""
        try:
            outcome = await self._take(scope, receive, said)
        except (SignatureError, NotAnEventError) as error:
            status, outcome, reason = REFUSED, "refused", error.reason
        except _TooLargeError:
            status, outcome, reason = TOO_LARGE, "refused", "too_large"
        except StoreAwayError:
            status, outcome, reason = UNAVAILABLE, "unavailable", "store_unavailable"
        except _GoneError:
            status, outcome, reason = NO_ANSWER, "refused", "disconnected"
        if reason:
            said["reason"] = reason
        if status != NO_ANSWER:
            headers, answer = _RECEIVED if status == OK else _refusal(status, reason)
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": answer})
        seconds = time.perf_counter() - began
        if outcome in KEPT and self._traces:
            now, event_id = time.time(), str(said["event_id"])
            self._traces.tell(traces.Step("delivery", event_id, now - seconds, now, outcome))
        self._meter(outcome, reason, seconds)
        say = log.warning if outcome == "unavailable" else log.info
        took = round(seconds * 1000, 2)
        say(f"delivery.{outcome}", outcome=outcome, **said, status=status, duration_ms=took)

    def _meter(self, outcome: str, reason: str, seconds: float) -> None:
        """Count it for /metrics, and its time where it waited for the disk."""
        numbers = {DELIVERIES.field(outcome, reason): 1}
        if outcome in KEPT:
            numbers[ACCEPT.field(seconds)] = 1
            numbers[ACCEPT.sum_field] = microseconds(seconds)
        self._intake.notes.count(METERS, numbers)

    async def _take(self, scope: Scope, receive: Receive, said: dict[str, object]) -> str:
        signature, length = _headers(scope)
        body = await _read(receive, length, self._body_limit)
        self._verify(body, signature, said)
        event = read_event(body)
        said.update(event_id=event.id, type=event.type)
        if isinstance(event, Unprojected):
            self._intake.count_ignored(event.type)
            return "ignored"
        return await self._intake.accept(event, self._drop(body))

    def _verify(self, body: bytes, signature: str, said: dict[str, object]) -> None:
        """Check the signature, and note which secret made it."""
        now = self._clock()
        index = match(body, signature, self._secrets, now=now, tolerance=self._tolerance)
        alone = True
        if len(self._secrets) > 1:
            said["secret_number"] = index + 1
            others = self._secrets[index + 1 :]  # those before it did not match
            with contextlib.suppress(SignatureError):
                match(body, signature, others, now=now, tolerance=self._tolerance)
                alone = False
        self._secret_use.matched(index, now, alone=alone)


class _TooLargeError(Exception):
    """The body is larger than any event."""


class _GoneError(Exception):
    """The sender left before the whole body had come."""


def _headers(scope: Scope) -> tuple[str, int]:
    """Return the signature, several joined as proxies do, and the announced length or 0."""
    headers = scope["headers"]
    signatures = [value for name, value in headers if name == b"stripe-signature"]
    length = dict(headers).get(b"content-length", b"")[:_LENGTH_DIGITS]
    return b",".join(signatures).decode("latin-1"), int(length) if length.isdigit() else 0


async def _read(receive: Receive, announced: int, limit: int) -> bytes:
    """Return the body; what its announced length says is believed only when it is too much."""
    chunks: list[bytes] = []
    size = 0
    more = announced <= DISCARDED_BYTES
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        more = message.get("more_body", False) and size <= DISCARDED_BYTES
    if max(size, announced) > limit:
        raise _TooLargeError
    return b"".join(chunks)


def _refusal(status: int, reason: str) -> "_Answer":
    kind = "api_error" if status == UNAVAILABLE else "invalid_request_error"
    error = {"type": kind, "code": reason, "message": MESSAGES[reason]}
    headers, body = _json({"error": error})
    if status == UNAVAILABLE:
        seconds = random.randint(*RETRY_AFTER_SECONDS)  # noqa: S311 - spread, not secret
        headers.append((b"retry-after", str(seconds).encode()))
    if status == TOO_LARGE:
        headers.append((b"connection", b"close"))  # the rest of it may never be read
    return headers, body


def _json(content: object) -> "_Answer":
    body = msgspec.json.encode(content)
    length = str(len(body)).encode()
    return [(b"content-type", b"application/json"), (b"content-length", length)], body


_Answer: TypeAlias = tuple[list[tuple[bytes, bytes]], bytes]

_RECEIVED = _json({"received": True})

_LENGTH_DIGITS = 18
"""More than any length has; Python refuses to read thousands of digits."""
