"""The queries: each GET is a function from what is asked to an answer out of one document."""

import hmac
from typing import Any

import msgspec

from service.documents import CustomerAnswer, SourceAnswer, decode_customer, decode_source
from service.keys import customer_key, source_key
from service.web import shapes
from service.web.freshness import of_customer, of_source
from service.web.parameters import Expandable, ParameterError, read_listing
from service.web.query import Answer, Asked
from service.web.shapes import MissingError

OF_CUSTOMER = Expandable(
    here=("default_source", "sources", "sources.data"),
    at_stripe=(
        "cash_balance",
        "default_source.account",
        "default_source.customer",
        "discount",
        "invoice_credit_balance",
        "invoice_settings",
        "sources.data.account",
        "sources.data.customer",
        "subscriptions",
        "tax",
        "tax_ids",
        "test_clock",
    ),
)
OF_LIST = Expandable(here=("data", "total_count"), at_stripe=("data.account", "data.customer"))
OF_LISTED = Expandable(at_stripe=("account", "customer"))

LISTING = frozenset({"object", "limit", "starting_after", "ending_before"})
CLIENT_SECRET = frozenset({"client_secret"})


async def customer(asked: Asked) -> Answer:
    """GET /v1/customers/:id; a deleted customer answers as a stub."""
    customer_id = asked.ids["customer"]
    known = await known_customer(asked, customer_id)
    body = shapes.customer_object(customer_id, known, asked.parameters.expand)
    return Answer(body, of_customer(known))


async def customer_sources(asked: Asked) -> Answer:
    """GET /v1/customers/:id/sources, newest first."""
    listing = read_listing(asked.parameters.values)
    known = await _living_customer(asked)
    page = shapes.page_of(known.sources, listing)
    count = "total_count" in asked.parameters.expand
    body = shapes.list_object(asked.ids["customer"], page, count=count)
    return Answer(body, of_customer(known))


async def customer_source(asked: Asked) -> Answer:
    """GET /v1/customers/:id/sources/:id; only what is in the customer's list."""
    known = await _living_customer(asked)
    body = shapes.source_body(known, asked.ids["id"])
    if not body:
        raise MissingError("source", asked.ids["id"])
    return Answer(body, of_customer(known))


async def default_source(asked: Asked) -> Answer:
    """GET /v1/customers/:id/default_source: the object itself, or null in an envelope."""
    known = await _living_customer(asked)
    body = shapes.default_source_object(asked.ids["customer"], known)
    return Answer(body, of_customer(known))


async def source(asked: Asked) -> Answer:
    """GET /v1/sources/:id: a Source, whoever's it is or was; no card and no bank account."""
    source_id = asked.ids["source"]
    value = await asked.reads.get(source_key(asked.namespace, source_id))
    if value is None:
        raise MissingError("source", source_id)
    known = decode_source(value)[1]
    if known.kind != "source" or not known.body:
        raise MissingError("source", source_id)
    if secret := asked.parameters.values.get("client_secret"):
        _check_client_secret(secret, known)
    return Answer(known.body, of_source(known, await _basis_of_owner(asked, known)))


async def known_customer(asked: Asked, customer_id: str) -> CustomerAnswer:
    """Return what is stored of a customer; raises MissingError."""
    value = await asked.reads.get(customer_key(asked.namespace, customer_id))
    if value is None:
        raise MissingError("customer", customer_id)
    return decode_customer(value)[1]


async def _living_customer(asked: Asked) -> CustomerAnswer:
    """Below a deleted customer there is nothing any more."""
    known = await known_customer(asked, asked.ids["customer"])
    if known.deleted:
        raise MissingError("customer", asked.ids["customer"])
    return known


class _ClientSecret(msgspec.Struct):
    client_secret: Any = None


def _check_client_secret(given: str, known: SourceAnswer) -> None:
    told = msgspec.json.decode(known.body, type=_ClientSecret).client_secret
    secret = told if isinstance(told, str) else ""
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        raise ParameterError(
            "The client_secret provided does not match the client_secret associated with the "
            "Source.",
            param="client_secret",
        )


async def _basis_of_owner(asked: Asked, known: SourceAnswer) -> str:
    """Return how its owner's default was reached; nobody's Source is surely nobody's default."""
    if known.gone or not known.owner:
        return "confirmed"
    value = await asked.reads.get(customer_key(asked.namespace, known.owner))
    return decode_customer(value)[1].basis if value else "ambiguous"
