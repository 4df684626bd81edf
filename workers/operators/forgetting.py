"""Forget a customer: tombstones in the projection first, then everything the log holds of it.

First the tombstones, for merged with anything they stay what they are: whatever worker has an event
of the customer in hand cannot bring it back. What comes later the workers erase unread. Stopped at
any point and run again it ends the same.
"""

import time
from collections.abc import Callable, Sequence

import msgspec

from service import doorbell, event_log, forgotten, standing
from service.keys import Namespace, mentions_key
from service.log_rewrite import rewrite_log
from workers import doubts
from workers.apply import Effect, Told, apply
from workers.facts import CustomerFacts, Facts, SourceFacts
from workers.operators import person
from workers.operators.desk import Desk
from workers.operators.person import Person, Progress
from workers.operators.store_files import Rewritten, rewrite_files

PIECE = 500
"""Entries erased in one step: a few milliseconds of the store's time."""


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, and what is left."""

    person: Person
    """What there was."""
    erased_entries: int
    left_documents: int
    """Documents that still hold something of the customer: none."""
    left_entries: int
    """Entries in the log about it: none, unless another came in this very moment."""
    tombstones: int
    """Documents that hold an id, when it was forgotten, and nothing else; they stay."""
    rewritten: list[Rewritten]

    @property
    def complete(self) -> bool:
        """Whether nothing of it is left within reach."""
        files = {state for one in self.rewritten for state in (one.appendonly, one.snapshot)}
        return not (self.left_documents or self.left_entries or files - {"rewritten", "none"})


def forget(
    desk: Desk,
    namespace: Namespace,
    customer: str,
    *,
    progress: Progress = lambda _: None,
    waits: Callable[[str], None] = lambda _: None,
) -> Forgotten:
    """Erase all that the stores keep of a customer, and have their files written anew.

    Args:
        desk: the stores.
        namespace: the customer's.
        customer: its id.
        progress: told how many entries of the log were looked at or copied.
        waits: told which store's files are being written anew.

    Raises:
        redis.RedisError: a store is away; run it again.

    """
    found = person.find(desk, namespace, customer, progress=progress)
    _entomb(desk, found)
    erased = _erase(desk, found)
    left = person.find(desk, namespace, customer, known=found.ids, progress=progress)
    if left.entries or left.documents:  # came in between
        _entomb(desk, left)
        erased += _erase(desk, left)
        left = person.find(desk, namespace, customer, known=left.ids, progress=progress)
    rewrite_log(desk.log, progress)
    return Forgotten(
        person=found,
        erased_entries=erased,
        left_documents=left.documents,
        left_entries=len(left.entries),
        tombstones=1 + len(left.sources),
        rewritten=rewrite_files(desk, waits),
    )


def _entomb(desk: Desk, found: Person) -> None:
    """Let nothing more be known of it, whatever comes."""
    forgotten.note(desk.log, ((found.namespace, one) for one in found.ids))
    now = int(time.time())
    facts = Facts(
        sources={source: SourceFacts(forgotten=now) for source in found.sources},
        customers={found.customer: CustomerFacts(forgotten=now)},
    )
    effect: Effect = apply(desk.projection, [Told("", found.namespace, facts)])
    for error in effect.failed.values():
        raise error
    doubts.note(desk.log, effect.doubts)


def _erase(desk: Desk, found: Person) -> int:
    """Erase the entries with index, histories and jobs; and what says that they told of it."""
    erased = 0
    for start in range(0, len(found.entries), PIECE):
        erased += _erase_piece(desk, found.entries[start : start + PIECE])
    subjects = (found.customer, *found.sources)
    desk.log.delete(*(mentions_key(found.namespace, subject) for subject in subjects))
    return erased


def _erase_piece(desk: Desk, entry_ids: Sequence[str]) -> int:
    entries = event_log.fetch(desk.log, entry_ids)
    with desk.log.pipeline(transaction=True) as pipe:
        standing.erase(pipe, entries)
        pipe.execute()
    for event_id in dict.fromkeys(entry.id for entry in entries):
        doorbell.forget_job(desk.log, event_id)
    return len(entries)
