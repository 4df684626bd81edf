"""Reconcile: compare the answers with Stripe's own, and have what differs read anew.

What is only on its way is no difference. So one counts only when Stripe showed the same thing
twice, a while apart, and by then everything accepted in between had been applied.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

import msgspec
import redis

from service.keys import Subject
from service.log import forgotten
from service.watch.meters import DIFFERENCES
from workers import admission, pace
from workers.asking.api import StripeApi
from workers.asking.errors import NotFoundError
from workers.asking.known import Known, known
from workers.asking.reads import Read
from workers.asking.settled import read_settled
from workers.operators.batches import everybody, named
from workers.operators.desk import Desk
from workers.operators.differences import Difference, differences, unknown_to_stripe
from workers.operators.search import Wanted, search

GRACE_SECONDS = 5.0
"""How long Stripe's deliveries may be on their way; most take a second."""

MOST_LOOKS = 4
"""A customer that changes between each two of these is left for another time."""

Verdict: TypeAlias = Literal["same", "different", "unsettled", "unknown", "forgotten"]


class Checked(msgspec.Struct, frozen=True):
    """What came of one customer."""

    customer: str
    verdict: Verdict
    """unsettled: it keeps changing, or what was accepted of it is not applied yet; unknown: neither
    side has it; forgotten: an operator had it forgotten here, whatever Stripe says."""
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
    batches = everybody(desk, api) if customers is None else named(api, customers)
    for batch in batches:
        found = known(desk.projection, api.namespace, [customer for customer, _ in batch])
        suspects: dict[str, Read | None] = {}
        gone = forgotten.which(
            desk.log, (Subject(api.namespace, customer) for customer, _ in batch)
        )
        for (customer, read), before in zip(batch, found, strict=True):
            if (api.namespace, customer) in gone:
                yield Checked(customer, "forgotten")
            elif read and not differences(before.answer, read):
                yield Checked(customer, "same")
            else:
                suspects[customer] = read
        yield from _looked_again(desk, api, suspects, repair=repair, grace=grace_seconds)


def _looked_again(
    desk: Desk, api: StripeApi, suspects: dict[str, Read | None], *, repair: bool, grace: float
) -> Iterator[Checked]:
    """Yield what becomes of customers that differ at first sight."""
    for look in range(MOST_LOOKS):
        if not suspects:
            return
        api.wait(grace)
        again = {one: _read_settled(desk, api, one) for one in suspects}
        for _ in admission.applied(desk.log):
            pass
        waiting = _being_retried(desk.log)
        found = known(desk.projection, api.namespace, list(suspects))
        changed: dict[str, Read | None] = {}
        for (customer, before), now in zip(suspects.items(), found, strict=True):
            read = again[customer]
            different = differences(now.answer, read) if read else [unknown_to_stripe(customer)]
            if read is None and now.answer is None:
                yield Checked(customer, "unknown")
            elif not different or (read is None and now.answer and now.answer.deleted):
                yield Checked(customer, "same")
            elif waiting & {customer, *(one.object for one in different)}:
                yield Checked(customer, "unsettled", different)
            elif _is_firm(before, read, now):
                # that Stripe knows no such customer may be the key's fault, and would be for good
                repaired = bool(repair and read and admission.append(desk.log, [read.body(api)]))
                pace.meter(desk.log, Counter(DIFFERENCES.field(one.kind) for one in different))
                yield Checked(customer, "different", different, repaired)
            elif look == MOST_LOOKS - 1:
                yield Checked(customer, "unsettled", different)
            else:
                changed[customer] = read
        suspects = changed


def _is_firm(before: Read | None, read: Read | None, now: Known) -> bool:
    """Tell whether Stripe showed the same twice, and the answer knows of nothing later."""
    if before is None or read is None:
        return before is read
    return before.fields == read.fields and now.second <= read.second


def _read_settled(desk: Desk, api: StripeApi, customer: str) -> Read | None:
    try:
        return read_settled(api, desk.projection, customer)
    except NotFoundError:
        return None


def _being_retried(log: redis.Redis) -> set[str]:
    """Return the customers and objects of events that failed and are tried again."""
    retried = search(log, Wanted(state="retrying"))
    return {name for one in retried for name in (one.customer, one.object) if name}
