"""Erase what a round met of somebody forgotten: its entries, and what its sources told before."""

from collections.abc import Collection, Sequence

import redis

from service.keys import Subject, mentions_key
from service.log import event_log, forgotten, mentions, standing
from service.log.entry import Entry
from workers.rounds import Round


def to_erase(client: redis.Redis, entries: Sequence[Entry], result: Round) -> list[Entry]:
    """Return the entries of a round that are to be erased.

    A source that was nobody's may have turned out to be a forgotten customer's; then what told of
    it before goes as well.
    """
    mine = [entry for entry in entries if entry.entry_id in result.forgotten]
    told_before = mentions.entries_of(client, result.entombed)
    return mine + [
        entry
        for entry in event_log.fetch(client, told_before)
        if entry.entry_id not in result.forgotten
    ]


def erase(client: redis.Redis, entries: Sequence[Entry], entombed: Collection[Subject]) -> None:
    """Erase entries, and note whose they were; `client` may be a pipeline.

    What such an entry carries is the forgotten customer's own: a new PaymentMethod may be told of
    again without its name.
    """
    standing.erase(client, entries)
    carried = [Subject(entry.namespace, entry.object) for entry in entries if entry.object]
    forgotten.note(client, [*entombed, *carried])
    for subject in entombed:
        client.delete(mentions_key(*subject))
