"""A customer's facts as far as a second: what of them is of that second or before.

Every fact has its second, but for two. That it is deleted is told by a snapshot; and that this
endpoint hears of `customer.updated` is taken as known from the beginning.
"""

import msgspec

from workers.algebra.facts import FINAL, NEVER, CustomerFacts, Times


def until(second: int, facts: CustomerFacts) -> CustomerFacts:
    """Return what is known of a customer by the end of this second, as it is known today.

    The links have version 0: of a source's body they know its last state only, so whatever else
    knows one is to be preferred.
    """
    links = {
        source: msgspec.structs.replace(link, version=0, times=times)
        for source, link in facts.links.items()
        if (times := _times_until(second, link.times)) != Times()
    }
    return CustomerFacts(
        snapshots={s: records for s, records in facts.snapshots.items() if s <= second},
        deleted=facts.deleted and _deleted_at(facts) <= second,
        told=facts.told,
        lists={s: lists for s, lists in facts.lists.items() if s <= second},
        links=links,
    )


def seconds_of(facts: CustomerFacts) -> set[int]:
    """Return every second in which something is known to have happened."""
    links = {
        moment for link in facts.links.values() for moment in msgspec.structs.astuple(link.times)
    }
    return {*facts.snapshots, *facts.lists, *links} - {NEVER}


def _times_until(second: int, times: Times) -> Times:
    return Times(*(m if m <= second else NEVER for m in msgspec.structs.astuple(times)))


def _deleted_at(facts: CustomerFacts) -> int:
    told = [
        second
        for second, records in facts.snapshots.items()
        if any(record.phase == FINAL for record in records.values())
    ]
    return min(told, default=max(seconds_of(facts), default=0))
