"""Reconcile: compare the answers with Stripe's own, and have what differs read anew.

What is only on its way is no difference. So one counts only when Stripe showed the same thing
twice, a while apart, and by then everything accepted in between had been applied.
"""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from typing import Literal, TypeAlias

import msgspec
import redis

from service.backlog import backlog
from service.keys import customer_key
from workers import admission
from workers.asking import read_settled
from workers.known import known
from workers.operators.desk import Desk
from workers.operators.differences import Difference, differences, unknown_to_stripe
from workers.operators.search import Wanted, search
from workers.stripe_api import CursorError, NotFoundError, StripeApi
from workers.stripe_reads import PAGE, Page, Read, read_customer, read_page

GRACE_SECONDS = 5.0
"""How long Stripe's deliveries may be on their way; most take a second."""

APPLY_SECONDS = 60.0
POLL_SECONDS = 0.1

MOST_LOOKS = 4
"""A customer that changes between each two of these is left for another time."""

Verdict: TypeAlias = Literal["same", "different", "unsettled", "unknown"]


class Checked(msgspec.Struct, frozen=True):
    """What came of one customer."""

    customer: str
    verdict: Verdict
    """unsettled: it keeps changing, or what was accepted of it is not applied yet; unknown: neither
    side has it."""
    differences: list[Difference] = []
    repaired: bool = False
    """A fresh read has been appended; it is in the answer as soon as that is applied."""


def reconcile(
    desk: Desk,
    api: StripeApi,
    customers: Iterable[str] | None,
    *,
    repair: bool,
    grace_seconds: float = GRACE_SECONDS,
) -> Iterator[Checked]:
    """Compare these customers, or else all that either side has; yield each as it is known.

    Raises:
        StripeReadError, StalledError: it ended early; running it again does no harm.

    """
    readings = _all(desk, api) if customers is None else _named(desk, api, customers)
    for batch in readings:
        found = known(desk.projection, api.namespace, [customer for customer, _ in batch])
        suspects: dict[str, Read | None] = {}
        for (customer, read), before in zip(batch, found, strict=True):
            if read and not differences(before.answer, read):
                yield Checked(customer, "same")
            else:
                suspects[customer] = read
        yield from _looked_again(desk, api, suspects, repair=repair, grace=grace_seconds)


def our_customers(desk: Desk, api: StripeApi) -> Iterator[str]:
    """Yield every customer of the namespace that there is a document of, in no order."""
    before, _, after = customer_key(api.namespace, "*").partition("*")
    for key in desk.projecting.scan_iter(match=f"{before}*{after}", count=1000):
        yield key.decode().removeprefix(before).removesuffix(after)


def sample(customers: Iterable[str], number: int) -> list[str]:
    """Return so many of them, chosen at random."""
    return nlargest(number, customers, key=lambda _: random.random())  # noqa: S311 - no secret


_Batch: TypeAlias = list[tuple[str, Read | None]]
"""Customers with what Stripe shows of them; None where Stripe knows no such customer."""


def _named(desk: Desk, api: StripeApi, customers: Iterable[str]) -> Iterator[_Batch]:
    rest = list(customers)
    for start in range(0, len(rest), PAGE):
        yield [(one, _read(desk, api, one)) for one in rest[start : start + PAGE]]


def _all(desk: Desk, api: StripeApi) -> Iterator[_Batch]:
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
    unlisted = [one for one in our_customers(desk, api) if one not in listed]
    yield from _named(desk, api, _living(desk, api, unlisted))


def _living(desk: Desk, api: StripeApi, customers: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(customers), PAGE):
        batch = customers[start : start + PAGE]
        for customer, one in zip(batch, known(desk.projection, api.namespace, batch), strict=True):
            if one.answer and not one.answer.deleted:
                yield customer


def _read(desk: Desk, api: StripeApi, customer: str, *, settled: bool = False) -> Read | None:
    try:
        if settled:
            return read_settled(api, desk.projection, customer)
        return read_customer(api, customer)
    except NotFoundError:
        return None


def _looked_again(
    desk: Desk, api: StripeApi, suspects: dict[str, Read | None], *, repair: bool, grace: float
) -> Iterator[Checked]:
    """Yield what becomes of customers that differ at first sight."""
    for look in range(MOST_LOOKS):
        if not suspects:
            return
        api.wait(grace)
        again = {one: _read(desk, api, one, settled=True) for one in suspects}
        _wait_until_applied(desk.log)
        waiting = _being_retried(desk.log)
        found = known(desk.projection, api.namespace, list(suspects))
        changed: dict[str, Read | None] = {}
        for (customer, before), now in zip(suspects.items(), found, strict=True):
            read = again[customer]
            different = differences(now.answer, read) if read else [unknown_to_stripe(customer)]
            if read is None and now.answer is None:
                yield Checked(customer, "unknown")
            elif not different:
                yield Checked(customer, "same")
            elif waiting & {customer, *(one.object for one in different)}:
                yield Checked(customer, "unsettled", different)
            elif (before and before.fields) == (read and read.fields):
                # that Stripe knows no such customer may be the key's fault, and would be for good
                repaired = bool(repair and read and admission.append(desk.log, [read.body(api)]))
                yield Checked(customer, "different", different, repaired)
            elif look == MOST_LOOKS - 1:
                yield Checked(customer, "unsettled", different)
            else:
                changed[customer] = read
        suspects = changed


def _wait_until_applied(log: redis.Redis) -> None:
    """Return when everything accepted before this call is applied or has failed.

    Raises:
        StalledError: it takes too long.

    """
    until_ms = backlog(log).at_ms
    give_up = time.monotonic() + APPLY_SECONDS
    while (now := backlog(log)).oldest_ms is not None and now.at_ms - now.oldest_ms <= until_ms:
        if time.monotonic() > give_up:
            raise admission.StalledError
        time.sleep(POLL_SECONDS)


def _being_retried(log: redis.Redis) -> set[str]:
    """Return the customers and objects of events that failed and are tried again."""
    retried = search(log, Wanted(state="retrying"))
    return {name for one in retried for name in (one.customer, one.object) if name}
