"""Stripe itself, without a network: a request goes in, an answer and its events come out.

The web face calls it for every request; a demo or a property test calls it directly. All it knows
is in memory, and a call runs from beginning to end undivided: on one event loop nothing else is
needed to keep it consistent.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

from service.sandbox import operations
from service.sandbox.books import Books
from service.sandbox.clock import Clock, SystemClock
from service.sandbox.errors import Json, StripeError
from service.sandbox.expansion import expanded
from service.sandbox.forms import Given, plain
from service.sandbox.idempotency import Memory, Remembered, recall
from service.sandbox.ids import Ids
from service.sandbox.parameters import Parameters
from service.sandbox.request import Request
from service.sandbox.transaction import Told, Transaction

API_VERSION = "2020-08-27"
"""The version of every answer and event, whatever version a client asks for."""


class Answer(NamedTuple):
    """What a request gets."""

    status: int
    body: Json
    request_id: str
    events: tuple[Json, ...] = ()
    """What happened, in Stripe's own order."""
    replayed: str = ""
    """The id of the first request of this idempotency key, when this is its answer again."""


@dataclass(frozen=True)
class Account:
    """One account's test mode: the platform's own, or a connected one's."""

    id: str
    books: Books = field(default_factory=Books)
    events: list[Json] = field(default_factory=list)
    memory: Memory = field(default_factory=dict)


class Stripe:
    """A whole Stripe, as far as payment sources go."""

    def __init__(self, *, clock: Clock | None = None, seed: int | None = None) -> None:
        self.clock = clock or SystemClock()
        self.seed = secrets.randbits(32) if seed is None else seed
        self.endpoints = 0
        """How many endpoints each event is to be delivered to."""
        self.events: list[Json] = []
        """Every event of every account, in Stripe's own order."""
        self.pending: dict[str, int] = {}
        """By event: how many endpoints have not taken it yet."""
        self._ids = Ids(self.seed)
        self._accounts: dict[str, Account] = {}

    def call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Given] | None = None,
        *,
        idempotency_key: str = "",
        account: str = "",
    ) -> Answer:
        """Do what a request asks and return its answer, or the refusal in Stripe's shape.

        `parameters` may be nested and of any kind; they become text as in a form. `account` is a
        connected account's id. An idempotency key counts for POST alone, as at Stripe.
        """
        request = Request(
            self._ids.short("req"),
            method,
            path,
            plain(parameters or {}),
            idempotency_key if method == "POST" else "",
            int(self.clock.now()),
        )
        its = self._accounts.setdefault(account, Account(account))
        try:
            first = recall(its.memory, request)
        except StripeError as refused:
            return self.refuse(refused, request.id)
        if first:
            return Answer(first.status, first.body, request.id, replayed=first.request.id)
        try:
            answer = self._perform(its, request)
        except StripeError as refused:
            answer = self.refuse(refused, request.id)
            if refused.before_execution:
                return answer
        if request.key:
            its.memory[request.key] = Remembered(request, answer.status, answer.body)
        return answer

    def refuse(self, error: StripeError, request_id: str = "") -> Answer:
        """Return a refusal as the answer that it is."""
        return Answer(error.status, error.body, request_id or self._ids.short("req"))

    def delivered(self, event_id: str) -> None:
        """Note that one more endpoint has taken an event."""
        self.pending[event_id] -= 1

    def _perform(self, account: Account, request: Request) -> Answer:
        found = operations.find(request.method, request.path)
        if found is None:
            raise StripeError(
                f"Unrecognized request URL ({request.method}: {request.path}). Please see "
                "https://stripe.com/docs or we can help at https://support.stripe.com/.",
                status=HTTPStatus.NOT_FOUND,
            )
        route, names = found
        parameters = Parameters(request.parameters)
        expand = parameters.texts("expand")
        rest = {key: value for key, value in request.parameters.items() if key != "expand"}
        tx = Transaction(
            account.books.draft(),
            self._ids,
            request.second,
            names,
            Parameters(rest),
            account.events,
            self.pending,
        )
        try:
            body = expanded(tx, route.operation(tx), expand)
        except StripeError as refused:
            if refused.keeps_draft:
                account.books.take_over(tx.books)
            raise
        account.books.take_over(tx.books)
        origin = None if route.by_stripe else request
        events = tuple(self._event(account, told, origin, request.second) for told in tx.told)
        return Answer(int(HTTPStatus.OK), body, request.id, events)

    def _event(self, account: Account, told: Told, origin: Request | None, second: int) -> Json:
        """Put what is told into its envelope and keep it."""
        data: Json = {"object": told.object}
        if told.previous is not None:
            data["previous_attributes"] = told.previous
        event: Json = {
            "id": self._ids.of_second("evt", second),
            "object": "event",
            **({"account": account.id} if account.id else {}),
            "api_version": API_VERSION,
            "created": second,
            "data": data,
            "livemode": False,
            "pending_webhooks": self.endpoints,
            "request": {
                "id": origin.id if origin else None,
                "idempotency_key": (origin.key or None) if origin else None,
            },
            "type": told.type,
        }
        self.pending[event["id"]] = self.endpoints
        account.events.append(event)
        self.events.append(event)
        return event
