"""Who was forgotten, as the event log's store knows it.

The projection knows it too, by its tombstones. This list holds where the projection was lost, and
for events that tell the projection nothing, as those about PaymentMethods.
"""

from collections.abc import Iterable, Sequence

import redis

from service.entry import Entry
from service.keys import FORGOTTEN, Namespace


def note(client: redis.Redis, subjects: Iterable[tuple[Namespace, str]]) -> None:
    """Note that these are forgotten; `client` may be a pipeline."""
    if members := [_member(*subject) for subject in subjects]:
        client.sadd(FORGOTTEN, *members)


def among(client: redis.Redis, entries: Sequence[Entry]) -> dict[str, set[str]]:
    """Return by entry which of its customer and its object are forgotten, if any is."""
    if not entries or not client.exists(FORGOTTEN):
        return {}
    asked = [(entry, one) for entry in entries for one in {entry.customer, entry.object}]
    known = client.smismember(FORGOTTEN, [_member(entry.namespace, one) for entry, one in asked])
    found: dict[str, set[str]] = {}
    for (entry, one), is_forgotten in zip(asked, known, strict=True):
        if is_forgotten:
            found.setdefault(entry.entry_id, set()).add(one)
    return found


def _member(namespace: Namespace, subject_id: str) -> str:
    return f"{namespace.text}:{subject_id}"
