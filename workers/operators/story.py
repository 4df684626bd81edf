"""One event's story: what came, what was tried, what it told, what of that is in the answers."""

from typing import Literal

import msgspec

from service.compression import UnreadableError
from service.event import NotAnEventError, Unprojected
from service.log import event_log
from service.log.entry import Entry
from workers import retries
from workers.failures import reason_of
from workers.handlers import UnprojectableError, facts_of
from workers.operators import envelope
from workers.operators.desk import Desk
from workers.operators.influence import ToldFact, told_facts
from workers.operators.moments import iso
from workers.operators.search import Found, found


class ShownAttempt(msgspec.Struct, frozen=True):
    """One try at applying it that did not succeed."""

    at: str
    reason: str
    """Why it ended; `interrupted` while nothing has ended it, or when its worker was killed."""


class Story(Found, frozen=True):
    """All that is known of an event."""

    attempts: list[ShownAttempt]
    """Those that failed; an event that went well at once has none."""
    tells: Literal["facts", "nothing", "unreadable"]
    problem: str
    """Why nothing can be read out of it; empty where it can."""
    facts: list[ToldFact]
    shapes_answer: bool
    """Whether any of its facts is one that the present answers are made of."""
    envelope: msgspec.Raw
    masked: list[str]
    """Which places of the envelope hold a secret that is not shown."""


def stories(desk: Desk, event_id: str) -> list[Story]:
    """Return the stories of an event, oldest first; all test events of Stripe's share one id."""
    entries = event_log.find(desk.log, event_id)
    ids = [entry.entry_id for entry in entries]
    states = event_log.states(desk.log, ids)
    known = retries.histories(desk.log, ids)
    overcome = retries.overcome(desk.log, ids)
    return [
        _story(desk, entry, state, failing or (past and _failed_only(past)))
        for entry, state, failing, past in zip(entries, states, known, overcome, strict=True)
        if entry.id == event_id
    ]


def attempts_of(history: retries.Retry | None) -> list[ShownAttempt]:
    """Return the attempts of a history."""
    return [ShownAttempt(iso(one.at), one.reason) for one in (history.attempts if history else [])]


def _failed_only(overcome: retries.Retry) -> retries.Retry:
    """Leave out the last attempt: nothing ended it but success."""
    return msgspec.structs.replace(overcome, attempts=overcome.attempts[:-1])


def _story(desk: Desk, entry: Entry, state: str, history: retries.Retry | None) -> Story:
    tells, problem, facts = _told(desk, entry)
    try:
        body, masked = envelope.shown(entry.body)
    except (UnreadableError, NotAnEventError) as error:
        body, masked = b"null", []
        problem = str(error) or reason_of(error)
    return msgspec.convert(
        {
            **msgspec.structs.asdict(found(entry, state)),
            "attempts": attempts_of(history),
            "tells": tells,
            "problem": problem,
            "facts": facts,
            "shapes_answer": any(fact.standing == "shapes" for fact in facts),
            "envelope": msgspec.Raw(body),
            "masked": masked,
        },
        Story,
    )


def _told(
    desk: Desk, entry: Entry
) -> tuple[Literal["facts", "nothing", "unreadable"], str, list[ToldFact]]:
    try:
        event = entry.read(desk.drop)
        facts = None if isinstance(event, Unprojected) else facts_of(event)
    except (UnprojectableError, NotAnEventError, UnreadableError) as error:
        return "unreadable", str(error) or reason_of(error), []
    if not facts:
        return "nothing", "", []
    return "facts", "", told_facts(desk.projection, entry.namespace, facts)
