"""How facts stand to what a document knew: told for /metrics, and of no weight for any answer."""

from typing import Literal, TypeAlias

from service.documents import CustomerAnswer, SourceAnswer
from workers.algebra.facts import CustomerFacts, Group, SourceFacts
from workers.algebra.merge import KEPT_SECONDS
from workers.algebra.seconds import newest

Standing: TypeAlias = Literal["new", "late", "stale", "repeated"]
Decider: TypeAlias = Literal["phase", "previous", "content", "nothing"]


def standing(
    known: SourceFacts | CustomerFacts, told: SourceFacts | CustomerFacts
) -> Standing | None:
    """Return what the newest snapshot that is told was to a document; None when none is told.

    `new`: of its newest second or a newer one. `late`: older than that, and kept. `stale`: older
    than what is kept, so that it says nothing any more. `repeated`: known.
    """
    before, news = known.snapshots, told.snapshots
    if not news:
        return None
    second = max(news)
    if second in before and news[second].keys() <= before[second].keys():
        return "repeated"
    if second >= max(before, default=second):
        return "new"
    return "stale" if len(before) == KEPT_SECONDS and second < min(before) else "late"


def tie(
    merged: SourceFacts | CustomerFacts,
    told: SourceFacts | CustomerFacts,
    answer: SourceAnswer | CustomerAnswer,
) -> Decider | None:
    """Return what told which of several snapshots of the newest second is the last.

    None when there are not several, or nothing was told of that second. `phase`: one kind of event
    ends a life or follows another. `previous`: `previous_attributes` link them. `content`: they
    show the same. `nothing`: the answer is undecided.
    """
    group: Group = merged.snapshots
    if not group or len(group[max(group)]) == 1 or max(group) not in told.snapshots:
        return None
    end = newest(group, silent=isinstance(answer, SourceAnswer) and answer.kind == "source")
    if len(end.snapshots) == 1:
        return None
    if not end.decided:
        return "nothing"
    ranks = sorted((snapshot.rank for snapshot in end.snapshots), reverse=True)
    if ranks[0] > ranks[1]:
        return "phase"
    linked = any(snapshot.record.previous for snapshot in end.snapshots)
    return "previous" if linked else "content"
