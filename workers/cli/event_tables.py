"""Events as people read them: a list of them, and one with its story."""

from collections.abc import Iterator
from itertools import groupby, islice

import msgspec
from rich.console import Console
from rich.text import Text

from service.event_types import READ_TYPE
from workers.cli.tables import facts, print_whole, table
from workers.cli.wording import moment_in_list, short_moment
from workers.operators.search import Found
from workers.operators.story import Story

SCREEN = 200
"""Rows printed as one table: the widths of all of them must be known before the first is."""

DISPENSABLE = ("request", "object", "customer")
"""Columns that a narrow terminal goes without, the first one first."""

_STYLES = {"failed": "bold red", "retrying": "yellow", "pending": "yellow", "discarded": "dim"}


class Page:
    """A part of what was found; knows afterwards where to go on."""

    def __init__(self, found: Iterator[Found], limit: int) -> None:
        self._found = found
        self._limit = limit
        self.after: str | None = None
        """The last one's entry, if there are more."""

    def __iter__(self) -> Iterator[Found]:
        last = None
        for number, one in enumerate(self._found, 1):
            if self._limit and number > self._limit:
                self.after = last
                return
            last = one.entry
            yield one


def print_list(out: Console, page: Page) -> None:
    """Print a page, and how to come to the next one."""
    rest = iter(page)
    columns = ("received", "event", "state", "type", "customer", "object", "request")
    nothing = True
    while rows := list(islice(rest, SCREEN)):
        nothing = False
        print_whole(out, *columns, rows=[_row(one) for one in rows], dispensable=DISPENSABLE)
    if nothing:
        out.print("No such event in the log.")
    if page.after:
        out.print(f"\nThere are more: the same with --after {page.after}, or --limit 0 for all.")


def _row(one: Found) -> tuple[str | Text, ...]:
    state = Text(one.state, style=_STYLES.get(one.state, ""))
    where = f"{one.object}" if one.object != one.customer else ""
    received = moment_in_list(one.received)
    return received, one.event, state, one.type, one.customer, where, one.request


def print_story(out: Console, story: Story) -> None:
    """Print all that is known of an event."""
    namespace = f"{story.mode} mode" + (f", account {story.account}" if story.account else "")
    out.print(
        facts(
            [
                ("event", story.event),
                ("type", story.type),
                ("received", short_moment(story.received)),
                ("state", Text(story.state, style=_STYLES.get(story.state, ""))),
                ("customer", story.customer or "-"),
                ("object", story.object or "-"),
                ("request", story.request or _without_request(story)),
                ("namespace", namespace),
                ("in the answers", _influence(story)),
            ]
        )
    )
    if story.attempts:
        rows = [(short_moment(one.at), one.reason) for one in story.attempts]
        out.print()
        out.print(table("failed attempt", "reason", rows=rows))
    for document, facts_of_it in groupby(story.facts, lambda one: f"{one.document} {one.id}"):
        out.print()
        out.print(Text(f"what it tells of {document}", style="bold"), soft_wrap=True)
        told = [(one.fact, one.value, one.standing, one.why) for one in facts_of_it]
        print_whole(out, "fact", "value", "standing", "why", rows=told, folding="why")
    out.print()
    body = msgspec.json.format(bytes(story.envelope), indent=2).decode()
    out.print(Text(body), soft_wrap=True)
    if story.masked:
        out.print(f"\nMasked, since it lets its reader act: {', '.join(story.masked)}")


def _without_request(story: Story) -> str:
    return "none: Onfile read it" if story.type == READ_TYPE else "none: Stripe acted by itself"


def _influence(story: Story) -> str:
    if story.tells == "unreadable":
        return f"no: nothing can be read out of it ({story.problem})"
    if story.tells == "nothing":
        return "no: it tells nothing about payment sources"
    if story.shapes_answer:
        return "yes: it shapes what is answered now"
    if any(one.standing == "kept" for one in story.facts):
        return "its facts are kept, and others decide what is answered now"
    return "no: others have taken its place, or it is not applied"
