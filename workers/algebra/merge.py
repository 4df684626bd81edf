"""Merge facts: commutative, associative and idempotent, so that order and repetition do not matter.

Minimum, or, union, and "the k greatest keys of a union" each have these laws; so has their product.
Forgotten is above all of it: merged with anything it stays itself, and holds nothing.
"""

from workers.algebra.facts import NEVER, CustomerFacts, Group, Link, Record, SourceFacts, Times

KEPT_SECONDS = 2
"""One second cannot tell where a walk that closes in it began; the second before it can."""

KEPT_RECORDS = 64
"""A bound on what one second may cost. A second this full is left undecided."""


def merge_sources(left: SourceFacts, right: SourceFacts) -> SourceFacts:
    """Return all that either side knows of a source."""
    if (forgotten := min(left.forgotten, right.forgotten)) != NEVER:
        return SourceFacts(forgotten=forgotten)
    return SourceFacts(
        snapshots=merge_groups(left.snapshots, right.snapshots),
        views=merge_groups(left.views, right.views),
        owners=left.owners | right.owners,
        times=merge_times(left.times, right.times),
    )


def merge_customers(left: CustomerFacts, right: CustomerFacts) -> CustomerFacts:
    """Return all that either side knows of a customer."""
    if (forgotten := min(left.forgotten, right.forgotten)) != NEVER:
        return CustomerFacts(forgotten=forgotten)
    return CustomerFacts(
        snapshots=merge_groups(left.snapshots, right.snapshots),
        deleted=left.deleted or right.deleted,
        told=left.told or right.told,
        lists=_merge_lists(left.lists, right.lists),
        links=_merge_links(left.links, right.links),
    )


def merge_groups(left: Group, right: Group) -> Group:
    """Return the union, cut to the greatest seconds, and in each to the greatest keys."""
    if not right:
        return left
    if not left and len(right) == 1:
        return right
    kept = sorted(left.keys() | right.keys())[-KEPT_SECONDS:]
    return {second: _merge_second(left.get(second), right.get(second)) for second in kept}


def merge_times(left: Times, right: Times) -> Times:
    """Return the earliest of each."""
    return Times(
        added=min(left.added, right.added),
        seen=min(left.seen, right.seen),
        first=min(left.first, right.first),
        gone=min(left.gone, right.gone),
    )


def _merge_second(
    left: dict[bytes, Record] | None, right: dict[bytes, Record] | None
) -> dict[bytes, Record]:
    if not left or not right:
        return left or right or {}
    union = left | right
    for key in left.keys() & right.keys():
        union[key] = min(left[key], right[key], key=_told_by)
    if len(union) <= KEPT_RECORDS:
        return union
    return {key: union[key] for key in sorted(union)[-KEPT_RECORDS:]}


def _told_by(record: Record) -> tuple[str, str]:
    return record.event, record.api_version


def _merge_lists(
    left: dict[int, set[tuple[str, ...]]], right: dict[int, set[tuple[str, ...]]]
) -> dict[int, set[tuple[str, ...]]]:
    if not left or not right:
        return left or right
    newest = max(*left, *right)
    return {newest: left.get(newest, set()) | right.get(newest, set())}


def _merge_links(left: dict[str, Link], right: dict[str, Link]) -> dict[str, Link]:
    if not left or not right:
        return left or right
    union = left | right
    for source in left.keys() & right.keys():
        union[source] = _merge_link(left[source], right[source])
    return union


def _merge_link(left: Link, right: Link) -> Link:
    newer = max(left, right, key=lambda link: link.version)
    return Link(
        times=merge_times(left.times, right.times), version=newer.version, answer=newer.answer
    )
