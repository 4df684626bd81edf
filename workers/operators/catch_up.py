"""Catch up: read from Stripe's Events API what no delivery brought, and append it.

An event is known by its id: Stripe renders it anew for the API, so that its bytes may differ from
the delivery's. Where both come in after all, the log has it twice and the answers do not care.
"""

from collections.abc import Iterator, Sequence

import msgspec
import redis

from service.event import NotAnEventError, Unprojected, read_event
from service.event_types import PROJECTED_TYPES
from service.keys import Namespace, index_bucket
from service.log import index
from workers import admission
from workers.algebra.objects import fields_of, identity, second_of
from workers.asking.api import StripeApi
from workers.asking.errors import CursorError
from workers.asking.lists import read_events
from workers.operators.caught_up import KEPT_SECONDS, Position, keep, position
from workers.operators.moments import iso

OVERLAP_SECONDS = 600
"""Before the last good moment: Stripe's list is only eventually complete."""

MOST_TYPES = 20
"""What Stripe takes at once, so that there are several passes."""


class Progress(msgspec.Struct, frozen=True):
    """How far a run has come, after each page."""

    looked_at: int
    missing: int
    """Events that the log did not have."""
    share: float
    """From 0 to 1, by the time that has been gone through."""
    reached: str
    """The moment down to which this pass has come."""
    waiting: int = 0
    """Events that wait to be applied first; 0 when none hold this up."""


def catch_up(log: redis.Redis, api: StripeApi, *, since: float | None = None) -> Iterator[Progress]:
    """Append every event that the log lacks, yielding after each page.

    A run that was ended goes on where it stopped. When the last page is done, the position is the
    moment at which the run began.

    Args:
        log: the store of the event log.
        api: Stripe's, of one namespace.
        since: from when on, unix seconds; else from a little before the last good moment, or from
            the oldest that Stripe has. Where that leaves a gap the position does not move.

    Raises:
        StripeReadError, StalledError: it ended early; what is done is kept.

    """
    where = position(log, api.namespace)
    if not where.since or since is not None:
        where = _begun(where, api.now(), since)
        keep(log, api.namespace, where)
    looked_at = missing = 0
    types = sorted(PROJECTED_TYPES)
    passes = [types[first : first + MOST_TYPES] for first in range(0, len(types), MOST_TYPES)]
    while where.types < len(passes):
        try:
            for bodies, more in read_events(
                api,
                types=passes[where.types],
                created={"gte": int(where.since)},
                **({"starting_after": where.after} if where.after else {}),
            ):
                for waiting in admission.room(log):
                    yield _progress(where, len(passes), [], (looked_at, missing), waiting)
                looked_at += len(bodies)
                missing += _append_missing(log, api.namespace, bodies)
                last = identity(_field(bodies[-1], "id")) if bodies else ""
                where = msgspec.structs.replace(where, after=last if more else "")
                keep(log, api.namespace, where)
                yield _progress(where, len(passes), bodies, (looked_at, missing), 0)
        except CursorError:  # its event is older than thirty days by now: begin this pass anew
            where = msgspec.structs.replace(where, after="")
            continue
        where = msgspec.structs.replace(where, types=where.types + 1, after="")
        keep(log, api.namespace, where)
    keep(log, api.namespace, Position(until=where.began if where.connects else where.until))


def _begun(where: Position, now: float, since: float | None) -> Position:
    oldest = now - KEPT_SECONDS
    start = max(oldest, since if since is not None else where.until - OVERLAP_SECONDS)
    connects = since is None or not where.until or start <= where.until
    return Position(until=where.until, since=start, began=now, connects=connects)


def _append_missing(log: redis.Redis, namespace: Namespace, events: Sequence[msgspec.Raw]) -> int:
    """Append those of these events that the log does not have; returns how many.

    They are indented as deliveries are, so that most are the very bytes that were delivered or
    will be, should Stripe's retry come after all.
    """
    known = _are_known(log, namespace, [identity(_field(event, "id")) for event in events])
    bodies = [
        msgspec.json.format(of_account(bytes(event), namespace), indent=2)
        for event, is_known in zip(events, known, strict=True)
        if not is_known
    ]
    return sum(admission.append(log, [body for body in bodies if _is_projected(body)]))


def of_account(event: bytes, namespace: Namespace) -> bytes:
    """Return an event with its account in it.

    Deliveries name the connected account. A list that was asked for as that account need not, and
    without the name the event would be taken for the platform's own.
    """
    fields = fields_of(event) or {}
    if not namespace.account or identity(fields.get("account")):
        return event
    account = msgspec.Raw(msgspec.json.encode(namespace.account))
    return msgspec.json.encode(fields | {"account": account})


def _is_projected(body: bytes) -> bool:
    try:
        return not isinstance(read_event(body), Unprojected)
    except NotAnEventError:
        return False


def _field(event: msgspec.Raw, name: str) -> msgspec.Raw | None:
    return (fields_of(event) or {}).get(name)


def _are_known(log: redis.Redis, namespace: Namespace, ids: Sequence[str]) -> list[bool]:
    """Tell of each event id whether the log has an entry of it, of this namespace."""
    with log.pipeline(transaction=False) as pipe:
        for one in ids:
            pipe.hgetall(index_bucket(one))
        buckets = pipe.execute()
    return [
        any(place.namespace == namespace for place in index.places(bucket.items(), one))
        for one, bucket in zip(ids, buckets, strict=True)
    ]


def _progress(
    where: Position,
    passes: int,
    bodies: Sequence[msgspec.Raw],
    counts: tuple[int, int],
    waiting: int,
) -> Progress:
    oldest = second_of(_field(bodies[-1], "created")) if bodies else where.began
    span = max(1.0, where.began - where.since)
    gone_through = min(1.0, max(0.0, (where.began - oldest) / span)) if where.after else 1.0
    looked_at, missing = counts
    return Progress(
        looked_at=looked_at,
        missing=missing,
        share=(where.types + gone_through) / passes,
        reached=iso(oldest if where.after else where.since),
        waiting=waiting,
    )
