"""The stop rule: when nearly every event fails, the events are not at fault, and the workers wait.

A bad release, or something that every handler needs and that is away, would else lay one event
after another among the dead letters. Instead they stay pending: after a pause a few of them are
tried again, and once these succeed all goes on by itself. Events that can never be applied do not
count.
"""

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence

import msgspec
import redis
import structlog

from service.keys import HALT, REPLAY_HALT
from workers.failures import is_permanent, reason_of

LEAST_EVENTS = 20
"""Fewer failures may well be the events' own."""

HALTING_SHARE = 0.9
"""More than this share of the last events must have failed."""

PAUSES_SECONDS = (10, 20, 40, 60)
"""Longer than it takes until what was put back may be claimed again; a mended release should not
wait much longer than a minute."""

PROBE_EVENTS = 20
"""How many are tried after a pause: half of them put back ones, so that new ones have a say."""

NAP_SECONDS = 1.0
"""A drain that may not work takes this long, or each delivery's ring would be a job of its own."""


log = structlog.get_logger()


class Halt(msgspec.Struct, frozen=True):
    """Why no events are taken, since when, and until when at least."""

    since: float
    """Unix seconds, as are all times here."""
    until: float
    """When a few events are tried again."""
    pauses: int
    """How many there were, this one included."""
    reason: str
    """What most of the events failed for."""
    failed: int
    tried: int
    """Of the last events tried so many, and so many of them failed."""


def pause_seconds(halt: Halt) -> float:
    """Return how long its pause still takes; one longer than any is a clock that was set back."""
    left = halt.until - time.time()
    return left if 0 < left <= PAUSES_SECONDS[-1] else 0.0


class StopRule:
    """Judges the rounds of one process: of new events, or of replays, whose halt is another.

    Old events that fail are no reason to keep new ones waiting.
    """

    def __init__(self, key: str = HALT) -> None:
        self._key = key
        self._last: deque[bool] = deque(maxlen=LEAST_EVENTS)
        """Of the last events, whether each failed."""

    def halt(self, client: redis.Redis) -> Halt | None:
        """Return the halt that this rule or another worker's called and nobody ended yet."""
        return current(client, self._key)

    def held(
        self,
        client: redis.Redis,
        tried: Sequence[str],
        failed: Mapping[str, Exception],
        halt: Halt | None,
    ) -> set[str]:
        """Return which entries of a round are to be put back: those that failed, if nearly all do.

        Calls a halt then, or prolongs the one before; and ends it when a few that were tried after
        its pause went well.

        Args:
            client: of the event log's store.
            tried: the entries of the round.
            failed: those that failed, and what stopped them.
            halt: the one before, when these were tried after its pause.

        """
        errors = {entry: error for entry, error in failed.items() if not is_permanent(error)}
        went = [entry in errors for entry in tried if entry in errors or entry not in failed]
        judged = went if halt else self._with_those_before(went)
        if errors and nearly_all(judged) and (halt or len(judged) >= LEAST_EVENTS):
            before = halt or self.halt(client)
            called = call(client, before, list(errors.values()), judged, self._key)
            log.error(
                "worker.halted" if self._key == HALT else "replay.halted",
                reason=called.reason,
                failed=called.failed,
                tried=called.tried,
                pause_seconds=round(called.until - time.time()),
                advice="mend what fails; no event is lost, and all goes on by itself",
            )
            return set(errors)
        if halt:
            end(client, self._key)
            self._last.clear()
            word = "worker.resumed" if self._key == HALT else "replay.resumed"
            log.info(word, halted_seconds=round(time.time() - halt.since))
        return set()

    def _with_those_before(self, went: list[bool]) -> list[bool]:
        """Return what to judge: a short round together with those before it."""
        missing = max(0, LEAST_EVENTS - len(went))
        judged = [*list(self._last)[-missing:], *went] if missing else went
        self._last.extend(went)
        return judged


def nearly_all(failed: Sequence[bool]) -> bool:
    """Tell whether more of these failed than single events may."""
    return sum(failed) > HALTING_SHARE * len(failed)


def current(client: redis.Redis, key: str = HALT) -> Halt | None:
    """Return the halt that was called and not ended yet, its pause over or not."""
    value = client.get(key)
    return _decode(value) if isinstance(value, bytes) else None


def call(
    client: redis.Redis,
    before: Halt | None,
    errors: Sequence[Exception],
    judged: Sequence[bool],
    key: str = HALT,
) -> Halt:
    """Call a halt, or prolong the one before; every worker obeys it."""
    now = time.time()
    pauses = before.pauses + 1 if before else 1
    [(reason, _)] = Counter(map(reason_of, errors)).most_common(1)
    halt = Halt(
        since=before.since if before else now,
        until=now + PAUSES_SECONDS[min(pauses, len(PAUSES_SECONDS)) - 1],
        pauses=pauses,
        reason=reason,
        failed=sum(judged),
        tried=len(judged),
    )
    client.set(key, _encode(halt))
    return halt


def end(client: redis.Redis, key: str = HALT) -> None:
    """Go on as usual."""
    client.delete(key)


def probe_soon(client: redis.Redis) -> None:
    """End the pause, not the halt: a worker that has just started may be the mended release."""
    for key in (HALT, REPLAY_HALT):
        if halt := current(client, key):
            client.set(key, _encode(msgspec.structs.replace(halt, until=time.time())), xx=True)


_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(Halt).decode
