"""A replay ordered and followed to its end, with its progress shown."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import click

from service.log import replay_queue
from workers.cli import replay_report as report
from workers.cli.work_progress import work_progress
from workers.operators import replays
from workers.operators.desk import Desk
from workers.operators.replays import Course
from workers.operators.search import Found


class Choice(NamedTuple):
    """What of the log is to be replayed."""

    found: Iterable[Found]
    by_name: bool
    total: int | None = None
    """How many there are, where that is known beforehand."""
    unknown: Sequence[str] = ()
    """Named, and not in the log."""


class Replayed(NamedTuple):
    """What came of it."""

    course: Course
    outcomes: Mapping[str, int]
    """Of this replay, and of any other that went on at the same time."""
    unknown: Sequence[str]

    @property
    def trouble(self) -> bool:
        """Whether somebody should look at it."""
        return bool(self.unknown or self.outcomes.get("failed"))


def follow(desk: Desk, choice: Choice, *, rate: float | None = None) -> Replayed:
    """Return when all of the choice was applied again, or has failed.

    Raises:
        click.ClickException: Ctrl-C stopped it; says what is still queued, and how to go on.

    """
    report.warn_of_no_worker(desk)
    before = Counter(replay_queue.replayed(desk.log))
    course = Course()
    skipping = replays.skips(by_name=choice.by_name)
    try:
        with work_progress("replaying", choice.total) as progress:
            for course in replays.run(desk.log, choice.found, skipping=skipping, rate=rate):
                if course.all_queued:
                    progress.total(course.queued)
                progress.at(max(0, course.queued - course.left))
                progress.say(report.why_it_waits(course))
    except KeyboardInterrupt:
        course.left = replay_queue.waiting(desk.log)
        raise click.ClickException(report.stopped(course, by_name=choice.by_name)) from None
    return Replayed(course, Counter(replay_queue.replayed(desk.log)) - before, choice.unknown)
