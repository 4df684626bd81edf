"""Facts without what is dropped: a document may hold values from before that was set.

Dropping from merged facts and merging dropped ones is the same, but for a second that is full. So
the projection is a function of the events and the setting, whenever that was set.
"""

from functools import reduce

import msgspec

from service.drop import Drop
from workers.algebra.facts import CustomerFacts, Group, Link, Record, SourceFacts
from workers.algebra.merge import merge_groups


def bare_source(facts: SourceFacts, drop: Drop) -> SourceFacts:
    """Return what is known of a source without what is dropped."""
    if not drop:
        return facts
    return msgspec.structs.replace(
        facts, snapshots=_bare_group(facts.snapshots, drop), views=_bare_group(facts.views, drop)
    )


def bare_customer(facts: CustomerFacts, drop: Drop) -> CustomerFacts:
    """Return what is known of a customer without what is dropped."""
    if not drop:
        return facts
    return msgspec.structs.replace(
        facts,
        snapshots=_bare_group(facts.snapshots, drop),
        links={source: _bare_link(link, drop) for source, link in facts.links.items()},
    )


def _bare_group(group: Group, drop: Drop) -> Group:
    """Merge the records anew: without it several may be one."""
    bare = (
        (second, _bare_record(record, drop))
        for second, records in group.items()
        for record in records.values()
    )
    single: list[Group] = [{second: {record.key: record}} for second, record in bare]
    return reduce(merge_groups, single, {})


def _bare_record(record: Record, drop: Drop) -> Record:
    return msgspec.structs.replace(
        record, object=drop(record.object), previous=drop(record.previous)
    )


def _bare_link(link: Link, drop: Drop) -> Link:
    answer = msgspec.structs.replace(link.answer, body=drop(link.answer.body))
    return msgspec.structs.replace(link, answer=answer)
