"""Which request is which operation."""

import re
from collections.abc import Callable
from typing import NamedTuple

from service.sandbox.errors import Json
from service.sandbox.resources import (
    customer_sources,
    customers,
    event_queries,
    happenings,
    networks,
    payment_methods,
    source_making,
    sources,
    tokens,
)
from service.sandbox.transaction import Transaction

Operation = Callable[[Transaction], Json]


class Route(NamedTuple):
    """A row of the table."""

    method: str
    pattern: "re.Pattern[str]"
    operation: Operation
    by_stripe: bool = False
    """Whether it stands for something that nobody requested: its events name no request."""
    publishable: bool = False
    """Whether a publishable key is enough."""


def route(
    line: str, operation: Operation, *, by_stripe: bool = False, publishable: bool = False
) -> Route:
    """Return the row for `METHOD /path/:id`."""
    method, _, path = line.partition(" ")
    pattern = re.compile(re.sub(":id", "([^/]+)", path))
    return Route(method, pattern, operation, by_stripe, publishable)


def let_happen(what: str, operation: Operation) -> Route:
    """Return the row of something that happens to a source by itself."""
    return route(f"POST /v1/test_helpers/sources/:id/{what}", operation, by_stripe=True)


ROUTES = (
    route("POST /v1/customers", customers.create),
    route("GET /v1/customers", customers.list_all),
    route("GET /v1/customers/:id", customers.retrieve),
    route("POST /v1/customers/:id", customers.update),
    route("DELETE /v1/customers/:id", customers.delete),
    route("POST /v1/customers/:id/sources", customer_sources.create),
    route("GET /v1/customers/:id/sources", customer_sources.list_all),
    route("GET /v1/customers/:id/sources/:id", customer_sources.retrieve),
    route("POST /v1/customers/:id/sources/:id", customer_sources.update),
    route("DELETE /v1/customers/:id/sources/:id", customer_sources.delete),
    route("POST /v1/customers/:id/sources/:id/verify", customer_sources.verify),
    route("POST /v1/sources", source_making.create, publishable=True),
    route("GET /v1/sources/:id", sources.retrieve, publishable=True),
    route("POST /v1/sources/:id", sources.update),
    route("GET /v1/payment_methods/:id", payment_methods.retrieve),
    route("POST /v1/payment_methods/:id", payment_methods.update),
    route("POST /v1/tokens", tokens.create, publishable=True),
    route("GET /v1/tokens/:id", tokens.retrieve, publishable=True),
    route("GET /v1/events", event_queries.list_all),
    route("GET /v1/events/:id", event_queries.retrieve),
    let_happen("chargeable", happenings.make_chargeable),
    let_happen("fail", happenings.fail),
    let_happen("cancel", happenings.cancel),
    let_happen("receive", happenings.receive_money),
    let_happen("require_refund_attributes", happenings.require_refund_attributes),
    let_happen("notify_mandate", happenings.notify_mandate),
    let_happen("network_update", networks.update_by_network),
    let_happen("expire", networks.expire),
)


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """Return the operation that a request means, with the ids in its path."""
    for each in ROUTES:
        if each.method == method and (matched := each.pattern.fullmatch(path)):
            return each, matched.groups()
    return None
