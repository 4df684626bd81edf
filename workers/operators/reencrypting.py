"""Re-encryption: all that is stored brought under the key that encrypts now, or under none.

Deliveries, workers and queries go on meanwhile: every process reads what lies under any of its
keys. Documents are stored by compare-and-set and keep their version, the log is copied with other
bodies; stopped at any point and run again, it goes on with what is left.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import msgspec

from service import sealing
from service.compression import UnreadableError
from service.documents import key_id_of, opened, version_of
from service.keys import LOG_COPY, REENCRYPTED
from service.log.entry import Entry, resealed
from service.log.indexed import reindex
from service.log.rewrite import rewrite_log
from service.projection import Write
from workers.operators.desk import Desk
from workers.operators.encryption import (
    Counted,
    completed,
    count_all,
    document_keys,
    note_completed,
)
from workers.operators.reading import Span, read_span
from workers.operators.store_files import Rewritten, rewrite_files

Progress = Callable[[str, int], None]
"""Told what is being done, and how far that has come."""


class Reencrypted(msgspec.Struct, frozen=True):
    """What was done, and what is left."""

    key: str
    """The id of the key that encrypts; empty when none does."""
    before: Counted
    after: Counted
    rewritten: list[Rewritten]
    """The stores' files, in which the old forms would have stayed; none where that was done."""

    @property
    def clean(self) -> bool:
        """Whether nothing in the stores needs another key."""
        return not (self.after.under_others(self.key) or self.after.damaged)

    @property
    def complete(self) -> bool:
        """Whether the stores' files hold no other form either."""
        files = {state for one in self.rewritten for state in (one.appendonly, one.snapshot)}
        return self.clean and not files - {"rewritten", "none"}


def reencrypt(
    desk: Desk,
    *,
    progress: Progress = lambda *_: None,
    waits: Callable[[str], None] = lambda _: None,
) -> Reencrypted:
    """Bring all that is stored under the key that encrypts now, and have files written anew.

    What this process has no key for stays as it is, and is counted in `after`.

    Raises:
        redis.RedisError: a store is away or full; run it again.

    """
    key_id = sealing.current.key_id
    before = after = _counted(desk, progress)
    if before.under_others(key_id):
        desk.log.delete(REENCRYPTED)
    if set(before.documents) - {key_id}:
        _reseal_documents(desk, progress)
    _reindex(desk, progress)
    if set(before.events) - {key_id}:
        _reseal_events(desk, progress)
    if before.under_others(key_id):
        after = _counted(desk, progress)
    noted = completed(desk.log)
    files = [] if noted and noted.key == key_id else rewrite_files(desk, waits)
    done = Reencrypted(key_id, before, after, files)
    if done.complete:
        note_completed(desk.log, key_id)
    return done


def _counted(desk: Desk, progress: Progress) -> Counted:
    counted = Counted()
    for counted in count_all(desk):
        progress("looking", counted.total)
    return counted


def _reseal_documents(desk: Desk, progress: Progress) -> None:
    """Store documents of other keys again.

    One that is stored in between is looked at again, for whoever did that may have other keys.
    """
    looked_at = 0
    for keys in document_keys(desk):
        refused = keys
        while refused:
            refused = _reseal_some(desk, refused)
        looked_at += len(keys)
        progress("documents", looked_at)


def _reseal_some(desk: Desk, keys: Sequence[str]) -> list[str]:
    """Return the keys of those that were stored by somebody else in between."""
    writes: list[Write] = []
    for key, value in zip(keys, desk.projection.load_stored(keys), strict=True):
        if value is None or key_id_of(value) == sealing.current.key_id:
            continue
        plain = opened(key, value)
        if not key_id_of(plain):
            writes.append(Write(key, version_of(value), plain))
    stored = desk.projection.commit(writes)
    return [write.key for write, ok in zip(writes, stored, strict=True) if not ok]


def _reindex(desk: Desk, progress: Progress) -> None:
    """Have the index know all events by digests of the key that encrypts now.

    Also those that lie under it already: another run may have been stopped in between.
    """
    looked_at = 0
    for entries in read_span(desk.log, Span(oldest_first=True)):
        reindex(desk.log, entries)
        looked_at += len(entries)
        progress("index", looked_at)


def _reseal_events(desk: Desk, progress: Progress) -> None:
    """Have the log copied with bodies of the key that encrypts now, from its beginning.

    A copy that was left behind holds others.
    """
    desk.log.delete(LOG_COPY)
    copied = 0

    def bodies(entries: Sequence[Entry]) -> Mapping[str, bytes]:
        anew: dict[str, bytes] = {}
        for entry in entries:
            if sealing.key_id_of(entry.stored) != sealing.current.key_id:
                with suppress(UnreadableError):
                    anew[entry.entry_id] = resealed(entry)
        return anew

    def tell(number: int) -> None:
        nonlocal copied
        copied += number
        progress("events", copied)

    rewrite_log(desk.log, tell, bodies)
