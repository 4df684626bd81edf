"""A source as its owners know it: what every commit of its document pushes to them."""

from typing import Generic, NamedTuple, TypeVar

import msgspec

from service.documents import CustomerAnswer, SourceAnswer
from workers.algebra.facts import CustomerFacts, Link, SourceFacts

F = TypeVar("F", SourceFacts, CustomerFacts)
A = TypeVar("A", SourceAnswer, CustomerAnswer)


class Stored(NamedTuple, Generic[F, A]):
    """A document as it stands in the store now."""

    facts: F
    version: int
    answer: A


def link_to(stored: Stored[SourceFacts, SourceAnswer]) -> Link:
    """Return a source as its owners know it; of one that has gone no body is kept."""
    answer = stored.answer
    if answer.gone:
        answer = msgspec.structs.replace(answer, body=b"")
    return Link(times=stored.facts.times, version=stored.version, answer=answer)
