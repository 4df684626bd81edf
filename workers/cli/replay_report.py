"""What a replay did, or would do, as people and programs read it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import click

from workers.cli.difference_tables import Counted, print_differences
from workers.cli.report import print_json, print_json_list
from workers.cli.tables import console
from workers.cli.wording import counted, not_in_log
from workers.operators import workforce
from workers.operators.desk import Desk
from workers.operators.rehearsing import Rehearsal
from workers.operators.replays import Course
from workers.operators.vouching import Read, Refused, Vouched

if TYPE_CHECKING:
    from workers.cli.replay_run import Replayed

_NOTHING_CHOSEN = "Nothing to replay: no such event in the log. What it has: onfile events list"

_OUTCOMES = {
    "applied": "changed what is stored",
    "unchanged": "changed nothing",
    "ignored": "tell nothing of payment sources",
    "failed": "failed",
}


class Beside(NamedTuple):
    """What was asked for beside what is replayed."""

    unknown: Sequence[str] = ()
    """Events that the log does not have."""
    left_alone: Mapping[str, int] = MappingProxyType({})
    """How many are in states in which they are not replayed."""


NOTHING_BESIDE = Beside()


def warn_of_no_worker(desk: Desk) -> None:
    """Say so if nobody is there to do what is about to be ordered."""
    if not any(worker.alive for worker in workforce.workers(desk.log)):
        click.echo("No worker is alive, so this will wait. Start one: onfile worker", err=True)


def why_it_waits(course: Course) -> str:
    """Return what holds a replay up; empty for nothing."""
    if course.halted is None:
        return ""
    return f"halted: {course.halted.reason} (onfile status)"


def stopped(course: Course, *, by_name: bool) -> str:
    """Return what an operator should know of a replay that was stopped."""
    text = "Stopped."
    if course.left:
        text += (
            f" {counted(course.left, 'event')} still queued will be applied; to drop them: "
            "onfile replay --cancel."
        )
    if by_name or course.all_queued or course.entry is None:
        return text
    return f"{text} To go on from here: the same with --after {course.entry}"


def tell(replayed: "Replayed", *, as_json: bool) -> None:
    """Tell what was applied again, what came of it, and what was left alone."""
    if as_json:
        print_json(as_object(replayed))
        return
    course, outcomes, unknown = replayed
    if course.queued:
        click.echo(f"{counted(course.queued, 'event')} replayed: {_worded(outcomes)}.")
    else:
        click.echo("Nothing to replay." if course.skipped or unknown else _NOTHING_CHOSEN)
    _tell_left_alone(course.skipped)
    if outcomes.get("failed"):
        click.echo("What failed is tried again by itself: onfile failed list, in some minutes.")
    _tell_unknown(unknown)


def as_object(replayed: "Replayed") -> dict[str, object]:
    """Return what programs are told of a replay."""
    return {
        "dry_run": False,
        "replayed": replayed.course.queued,
        "outcomes": {name: replayed.outcomes.get(name, 0) for name in _OUTCOMES},
        "left_alone": replayed.course.skipped,
        "unknown": replayed.unknown,
    }


def tell_rehearsal(rehearsal: Rehearsal, beside: Beside, *, as_json: bool) -> int:
    """Tell which answers would change; returns how many."""
    differences = Counted(rehearsal.differences())
    if as_json:
        print_json_list(
            "differences",
            differences,
            lambda: {
                "dry_run": True,
                "replayed": rehearsal.outcomes.total(),
                "outcomes": {name: rehearsal.outcomes[name] for name in _OUTCOMES},
                "failures": rehearsal.failures,
                "left_alone": beside.left_alone,
                "unknown": beside.unknown,
            },
        )
        return differences.number
    print_differences(console(), differences)
    worded = _worded(rehearsal.outcomes)
    click.echo(f"{counted(rehearsal.outcomes.total(), 'event')} would be replayed: {worded}.")
    for reason, number in rehearsal.failures.most_common():
        click.echo(f"  {number:,} would fail with {reason}")
    click.echo(f"{counted(differences.number, 'answer')} would change. Nothing was written.")
    _tell_left_alone(beside.left_alone)
    _tell_unknown(beside.unknown)
    return differences.number


def _tell_left_alone(states: Mapping[str, int]) -> None:
    if states:
        listed = ", ".join(f"{number:,} {state}" for state, number in states.items())
        click.echo(f"Left alone: {listed}.")


def tell_refused(refused: Sequence[Refused]) -> None:
    """Tell what in a file is no event."""
    for one in refused:
        click.echo(f"number {one.number} in the file is no event: {one.reason}", err=True)


def tell_file(held: Read, vouched: Vouched, *, as_json: bool) -> None:
    """Tell what became of a file's events."""
    if as_json:
        print_json(
            {
                "accepted": vouched.accepted,
                "duplicates": vouched.duplicates,
                "forgotten": vouched.forgotten,
                "ignored": held.ignored,
                "refused": held.refused,
            }
        )
        return
    accepted = counted(vouched.accepted, "event")
    click.echo(f"{accepted} of the file came into the log and to the workers.")
    if vouched.duplicates:
        click.echo(
            f"{counted(vouched.duplicates, 'event')} left alone: the log has the same. "
            "To have one of them applied again: onfile replay EVENT."
        )
    if vouched.forgotten:
        click.echo(
            f"{counted(vouched.forgotten, 'event')} left out: about somebody who was forgotten."
        )
    if held.ignored:
        kinds = ", ".join(f"{name} ({number:,})" for name, number in held.ignored.items())
        click.echo(f"Of no interest: {kinds}.")


def tell_dropped(number: int, *, as_json: bool) -> None:
    """Tell how much was dropped."""
    if as_json:
        print_json({"dropped": number})
    else:
        click.echo(f"{counted(number, 'event')} dropped from the replay queue; the log keeps them.")


def _tell_unknown(unknown: Sequence[str]) -> None:
    for event in unknown:
        click.echo(not_in_log(event))


def _worded(outcomes: Mapping[str, int]) -> str:
    came = {words: outcomes.get(name, 0) for name, words in _OUTCOMES.items()}
    said = [f"{number:,} {words}" for words, number in came.items() if number]
    return ", ".join(said) or "none"
