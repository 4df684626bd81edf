"""Replays: events of the log chosen, queued to be applied again, and followed until they are."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec
import redis

from service.keys import HALT, LOG, REPLAY_HALT
from service.log import event_log, replay_queue
from workers.operators.search import Found, Wanted, found, search
from workers.operators.status import Halted, halted

PIECE = 500
"""Queued in one step of the store."""

MOST_QUEUED = 5_000
"""Some ten rounds: workers never wait for more, and what a command that was stopped leaves behind
is applied in a few seconds."""

LOOK_SECONDS = 0.05

MILLISECOND = 0.001
"""Entries are known by theirs: what came in this very one is there already."""

PACES_A_SECOND = 10
"""Where a rate is asked for, so many pieces make a second of it."""

ON_THEIR_WAY = ("pending", "retrying")
"""The workers are about to apply these anyway."""


class Course(msgspec.Struct):
    """How far a replay has come."""

    queued: int = 0
    skipped: Counter[str] = msgspec.field(default_factory=Counter)
    """Not queued, by where they stand."""
    left: int = 0
    """In the queue at this moment, also what others have queued."""
    all_queued: bool = False
    entry: str | None = None
    """The last one that was queued: the walk through the log can go on after it."""
    halted: Halted | None = None
    """Why nothing is applied just now."""


def named(client: redis.Redis, event_ids: Sequence[str]) -> tuple[list[Found], list[str]]:
    """Return the entries of these events, and which events are not in the log."""
    known: list[Found] = []
    unknown: list[str] = []
    for event_id in dict.fromkeys(event_ids):
        entries = [one for one in event_log.find(client, event_id) if one.id == event_id]
        states = event_log.states(client, [entry.entry_id for entry in entries])
        known += map(found, entries, states)
        unknown += [] if entries else [event_id]
    return known, unknown


def length(client: redis.Redis) -> int:
    """Return how many events the log holds."""
    return msgspec.convert(client.xlen(LOG), int)


def chosen(client: redis.Redis, wanted: Wanted, *, after: str | None = None) -> Iterator[Found]:
    """Yield what is wanted, the oldest first; what comes in from now on is not."""
    if wanted.until is None:
        seconds, microseconds = msgspec.convert(client.time(), tuple[int, int])
        until = seconds + microseconds / 1e6 + MILLISECOND
        wanted = msgspec.structs.replace(wanted, until=until)
    return search(client, wanted, oldest_first=True, after=after)


def skips(*, by_name: bool) -> tuple[str, ...]:
    """Return the states that are not replayed: what was given up is, if it is named itself."""
    return ON_THEIR_WAY if by_name else (*ON_THEIR_WAY, "discarded")


def run(
    client: redis.Redis,
    wanted: Iterable[Found],
    *,
    skipping: Sequence[str],
    rate: float | None = None,
) -> Iterator[Course]:
    """Queue what is wanted, and wait until all of it was applied again, or has failed.

    Yields the one course, several times a second at most; it is changed in between. Never more than
    MOST_QUEUED are in the queue, and no more than `rate` a second come into it.
    """
    course = Course()
    last_item = ""
    began = time.monotonic()
    size = PIECE if rate is None else max(1, min(PIECE, int(rate / PACES_A_SECOND)))
    rest = without(wanted, skipping, course.skipped)
    while piece := list(islice(rest, size)):
        while _must_wait(client, course, began, rate):
            yield course
            time.sleep(LOOK_SECONDS)
        last_item = replay_queue.add(client, [one.entry for one in piece])
        course.queued += len(piece)
        course.entry = piece[-1].entry
        yield course
    course.all_queued = True
    while last_item and replay_queue.holds_any_up_to(client, last_item):
        _look(client, course)
        yield course
        time.sleep(LOOK_SECONDS)
    _look(client, course)
    yield course


def without(
    wanted: Iterable[Found], skipping: Sequence[str], skipped: Counter[str]
) -> Iterator[Found]:
    """Yield what is wanted but for these states; count in `skipped` what is left alone."""
    for one in wanted:
        if one.state in skipping:
            skipped[one.state] += 1
        else:
            yield one


def _must_wait(client: redis.Redis, course: Course, began: float, rate: float | None) -> bool:
    _look(client, course)
    early = rate is not None and course.queued > rate * (time.monotonic() - began)
    return early or course.left > MOST_QUEUED


def _look(client: redis.Redis, course: Course) -> None:
    course.left = replay_queue.waiting(client)
    course.halted = halted(client, REPLAY_HALT) or halted(client, HALT)
