"""Why the default is the default: the rule that it rests on, in a word and in a sentence."""

from typing import NamedTuple

from workers.algebra.default import CONFIRMED, NOBODY, Default, Step
from workers.algebra.seconds import Newest


class Reason(NamedTuple):
    """What a default rests on."""

    rule: str
    """shown, shown_once, undecided, unheard, first_source, passed_on, last_removed."""
    why: str
    between: list[str | None]
    """All that it may be, where events cannot decide; None for no default."""


def reason_of(default: Default, newest: Newest, *, told: bool) -> Reason:
    """Return why this is the default.

    Args:
        default: as the rules give it.
        newest: the customer's newest snapshots, which it begins with.
        told: whether a `customer.updated` ever came, so that a change by hand is heard of.

    """
    rule, why = _rule(default, newest, told=told)
    several = sorted(default.possible) if len(default.possible) > 1 else []
    return Reason(rule, why, [source or None for source in several])


def lasting(reason: Reason) -> Reason:
    """Return the reason of the last default, which no other followed."""
    if reason.rule != "shown":
        return reason
    return reason._replace(why=f"{reason.why}, and nothing later contradicts it")


def _rule(default: Default, newest: Newest, *, told: bool) -> tuple[str, str]:
    if not default.shown:
        return "unheard", "no event has shown which default the customer has"
    if default.steps:
        return _of_step(default.steps[-1])
    if len(default.shown) > 1:
        return "undecided", "events of one second show several, and nothing tells which was last"
    shows = f"{_teller(newest)} shows {'it' if default.source else 'that there is no default'}"
    if default.basis == CONFIRMED:
        return "shown", shows
    if told:
        return "shown_once", f"{shows}; another event of that second shows none"
    return "shown_once", (
        f"{shows}; other sources came or went since, and no customer.updated was ever heard, which "
        "would tell of a change by hand"
    )


def _of_step(step: Step) -> tuple[str, str]:
    became = sorted(step.became - {NOBODY})
    if step.default == NOBODY:
        if NOBODY in step.became:
            return "first_source", (
                f"{_one_of(became)} was added in the second that shows no default: before or after"
            )
        return "first_source", f"{_one_of(became)} was added when there was no default"
    gone = f"{step.default}, the default until then, was removed"
    if not became:
        return "last_removed", f"{gone}, and no other source was left"
    return "passed_on", f"{gone}, so the most recently added of the rest follows: {_one_of(became)}"


def _one_of(sources: list[str]) -> str:
    return sources[0] if len(sources) == 1 else f"one of {', '.join(sources)}"


def _teller(newest: Newest) -> str:
    record = newest.record
    return f"{record.type} {record.event}" if record else "the customer"
