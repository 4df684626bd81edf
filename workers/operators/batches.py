"""Whom to compare with Stripe: customers in batches, each with what Stripe shows of it."""

import random
from collections.abc import Iterable, Iterator
from heapq import nlargest
from itertools import islice
from typing import TypeAlias

from service.keys import customer_key
from workers.asking.api import StripeApi
from workers.asking.errors import CursorError, NotFoundError
from workers.asking.known import known
from workers.asking.lists import PAGE
from workers.asking.reads import Page, Read, read_customer, read_page
from workers.operators.desk import Desk

Batch: TypeAlias = list[tuple[str, Read | None]]
"""Customers with what Stripe shows of them; None where Stripe knows no such customer."""


def our_customers(desk: Desk, api: StripeApi) -> Iterator[str]:
    """Yield every customer of the namespace that there is a document of, in no order."""
    before, _, after = customer_key(api.namespace, "*").partition("*")
    for key in desk.projecting.scan_iter(match=f"{before}*{after}", count=1000):
        yield key.decode().removeprefix(before).removesuffix(after)


def sample(customers: Iterable[str], number: int) -> list[str]:
    """Return so many of them, chosen at random."""
    return nlargest(number, customers, key=lambda _: random.random())  # noqa: S311 - no secret


def named(api: StripeApi, customers: Iterable[str]) -> Iterator[Batch]:
    """Yield these customers."""
    for page in _pages(customers):
        yield [(one, _read(api, one)) for one in page]


def everybody(desk: Desk, api: StripeApi) -> Iterator[Batch]:
    """Yield what Stripe lists, then what we have and Stripe does not list."""
    listed: set[str] = set()
    page = Page([], "", 0, has_more=True)
    while page.has_more:
        try:
            page = read_page(api, after=page.last)
        except CursorError:
            page = read_page(api, created_by=page.last_created)
        listed.update(read.customer for read in page.reads)
        yield [(read.customer, read) for read in page.reads]
    unlisted = (one for one in our_customers(desk, api) if one not in listed)
    yield from named(api, _living(desk, api, unlisted))


def _living(desk: Desk, api: StripeApi, customers: Iterable[str]) -> Iterator[str]:
    for page in _pages(customers):
        for customer, one in zip(page, known(desk.projection, api.namespace, page), strict=True):
            if one.answer and not one.answer.deleted:
                yield customer


def _pages(customers: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(customers)
    while page := list(islice(rest, PAGE)):
        yield page


def _read(api: StripeApi, customer: str) -> Read | None:
    try:
        return read_customer(api, customer)
    except NotFoundError:
        return None
