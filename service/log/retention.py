"""The end of the event log: applied entries that are older than the retention leave it."""

from typing import Any

import msgspec
import redis

from service.keys import DISCARDED, LOG, LOG_COPY, OVERCOME, mentions_key
from service.log.entry import Entry, read_entry
from service.log.event_log import states
from service.log.indexed import unindex
from service.log.mentions import number_of

DONE = ("applied", "discarded")
"""Nobody will ask for these again; all others stay, however old."""


class Trimmed(msgspec.Struct, frozen=True):
    """What one call of trim did."""

    removed: int
    next_start: str | None
    """Where to go on; None when the end of what is old enough was reached."""


def trim(client: redis.Redis, older_than_ms: int, *, start: str = "-", count: int = 500) -> Trimmed:
    """Remove applied and discarded entries of that age, with their index; look at `count` at most.

    What is pending, retrying or failed stays, however old. An applied entry never becomes pending
    again, so nothing but its replay can happen between looking and removing, and that is harmless.
    They leave a copy of the log that is being made as well: it would begin again each time.
    """
    entries = _old_entries(client, older_than_ms, start, count)
    standing = states(client, [entry.entry_id for entry in entries])
    old = [entry for entry, state in zip(entries, standing, strict=True) if state in DONE]
    if old:
        with client.pipeline(transaction=True) as pipe:
            for stream in (LOG, LOG_COPY):
                pipe.xdel(stream, *[entry.entry_id for entry in old])
            for history in (DISCARDED, OVERCOME):
                pipe.hdel(history, *[entry.entry_id for entry in old])
            unindex(pipe, old)
            for entry in old:
                _forget_mention(pipe, entry, older_than_ms)
            pipe.execute()
    following = f"({entries[-1].entry_id}" if len(entries) == count else None
    return Trimmed(removed=len(old), next_start=following)


def _forget_mention(pipe: redis.Redis, entry: Entry, older_than_ms: int) -> None:
    """Take an entry from what told of its customer.

    One that named nobody may stay noted under the owner of its source. By the time the key expires
    all that is noted there now will have left the log as well; a newer note keeps the key.
    """
    key = mentions_key(entry.namespace, entry.customer or entry.object)
    pipe.srem(key, number_of(entry.entry_id))
    pipe.pexpire(key, older_than_ms)


def _old_entries(client: redis.Redis, older_than_ms: int, start: str, count: int) -> list[Entry]:
    now: Any = client.time()
    until = now[0] * 1000 + now[1] // 1000 - older_than_ms
    items: Any = client.xrange(LOG, start, str(max(0, until)), count=count)
    return [read_entry(item) for item in items]
