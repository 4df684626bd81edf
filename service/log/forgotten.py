"""Who was forgotten, as the event log's store knows it.

The projection knows it too, by its tombstones. This list holds where the projection was lost, and
for events that tell the projection nothing, as those about PaymentMethods.
"""

from collections.abc import Iterable, Sequence

import redis

from service.keys import FORGOTTEN, Namespace, Subject
from service.log.entry import Entry


def note(client: redis.Redis, subjects: Iterable[Subject]) -> None:
    """Note that these are forgotten; `client` may be a pipeline."""
    if members := [_member(*subject) for subject in subjects]:
        client.sadd(FORGOTTEN, *members)


def which(client: redis.Redis, subjects: Iterable[Subject]) -> set[Subject]:
    """Return which of these customers and objects are forgotten."""
    asked = list(subjects)
    if not asked:
        return set()
    known = client.smismember(FORGOTTEN, [_member(*subject) for subject in asked])
    return {subject for subject, is_known in zip(asked, known, strict=True) if is_known}


def among(client: redis.Redis, entries: Sequence[Entry]) -> dict[str, set[str]]:
    """Return by entry which of its customer and its object are forgotten, if any is."""
    if not client.exists(FORGOTTEN):  # or each entry would be asked about in vain
        return {}
    told = [(entry, one) for entry in entries for one in {entry.customer, entry.object}]
    known = which(client, {Subject(entry.namespace, one) for entry, one in told})
    found: dict[str, set[str]] = {}
    for entry, one in told:
        if (entry.namespace, one) in known:
            found.setdefault(entry.entry_id, set()).add(one)
    return found


def _member(namespace: Namespace, subject_id: str) -> str:
    return f"{namespace.text}:{subject_id}"
