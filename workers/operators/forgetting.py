"""Forget a customer: everything the log holds of it, then its documents, of which tombstones stay.

Merged with anything a tombstone stays what it is, so no worker that has an event of the customer in
hand brings it back; what comes later the workers erase as they meet it. Stopped at any point and
run again it ends the same: what says whose something is goes after it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from service import doorbell
from service.documents import encode_document
from service.keys import LOG_COPY, Namespace, Subject, mentions_key
from service.log import event_log, forgotten, standing
from service.log.entry import Entry
from service.log.rewrite import rewrite_log
from workers import doubts
from workers.algebra.facts import CustomerFacts, Facts, SourceFacts
from workers.algebra.links import A, F
from workers.apply import Told, apply
from workers.deriving import CUSTOMERS, SOURCES, Kind
from workers.operators import person
from workers.operators.desk import Desk
from workers.operators.person import Person, Progress
from workers.operators.store_files import Rewritten, rewrite_files

if TYPE_CHECKING:
    from workers.effect import Effect

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
    found: Person,
    *,
    progress: Progress = lambda _: None,
    waits: Callable[[str], None] = lambda _: None,
) -> Forgotten:
    """Erase all that the stores keep of a customer, and have their files written anew.

    Args:
        desk: the stores.
        found: what is kept of it; what has come since is found as well.
        progress: told how many entries of the log were looked at or copied.
        waits: told which store's files are being written anew.

    Raises:
        redis.RedisError: a store is away; run it again.
        LackingError: a document of it is whole, and this process lacks what it takes to read it.

    """
    erased = _erase(desk, found)
    left = person.find(desk, *found.name, known=found.ids, progress=progress)
    if left.entries or left.documents:  # came in between
        erased += _erase(desk, left)
        left = person.find(desk, *left.name, known=left.ids, progress=progress)
    desk.log.delete(LOG_COPY)  # one that was left behind may hold what has been trimmed since
    rewrite_log(desk.log, progress)
    return Forgotten(
        person=found,
        erased_entries=erased,
        left_documents=left.documents,
        left_entries=len(left.entries),
        tombstones=1 + len(left.sources),
        rewritten=rewrite_files(desk, waits),
    )


def _erase(desk: Desk, found: Person) -> int:
    """Erase the entries, and then what they have told.

    Those that do not name the customer go first, since those that do say whose they are.
    """
    forgotten.note(desk.log, (Subject(found.namespace, one) for one in found.ids))
    erased = 0
    for named in (False, True):
        for start in range(0, len(found.entries), PIECE):
            entries = event_log.fetch(desk.log, found.entries[start : start + PIECE])
            erased += _erase_entries(desk, [e for e in entries if bool(e.customer) == named])
    subjects = (found.customer, *found.sources)
    desk.log.delete(*(mentions_key(found.namespace, subject) for subject in subjects))
    _entomb(desk, found)
    return erased


def _erase_entries(desk: Desk, entries: Sequence[Entry]) -> int:
    """Erase entries with their index, histories and jobs."""
    with desk.log.pipeline(transaction=True) as pipe:
        standing.erase(pipe, entries)
        pipe.execute()
    for event_id in dict.fromkeys(entry.id for entry in entries):
        doorbell.forget_job(desk.log, event_id)
    return len(entries)


def _entomb(desk: Desk, found: Person) -> None:
    """Let nothing more be known of it, whatever comes; the sources first."""
    now = int(time.time())
    facts = Facts(
        sources={source: SourceFacts(forgotten=now) for source in found.sources},
        customers={found.customer: CustomerFacts(forgotten=now)},
    )
    _overwrite_damaged(desk, found.namespace, CUSTOMERS, facts.customers, person.customer_facts)
    _overwrite_damaged(desk, found.namespace, SOURCES, facts.sources, person.source_facts)
    effect: Effect = apply(desk.projection, [Told("", found.namespace, facts)])
    for error in effect.failed.values():
        raise error
    doubts.note(desk.log, effect.doubts)


def _overwrite_damaged(
    desk: Desk,
    namespace: Namespace,
    kind: Kind[F, A],
    tombstones: Mapping[str, F],
    read: Callable[[bytes], object],
) -> None:
    """Put a tombstone in the place of each document that cannot be read, so not be merged with."""
    keys = {one: kind.key(namespace, one) for one in tombstones}
    for one, value in zip(keys, desk.projection.load(list(keys.values())), strict=True):
        if value is not None and read(value) is None:
            answer = kind.derive(Subject(namespace, one), tombstones[one])
            facts = msgspec.msgpack.encode(tombstones[one])
            version = time.time_ns() // 1_000_000  # greater than any that its owners remember
            desk.projection.overwrite(keys[one], encode_document(version, answer, facts))
