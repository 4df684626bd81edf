"""What an operation works with: a draft of the books, the request, and what is to be told of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.sandbox.books import Books
from service.sandbox.errors import Json
from service.sandbox.ids import Ids
from service.sandbox.parameters import Parameters


class Told(NamedTuple):
    """An event that an operation tells, without its envelope."""

    type: str
    object: Json
    previous: Json | None


@dataclass(frozen=True)
class Transaction:
    """One operation under way. Raising leaves the books as they were and tells nothing."""

    books: Books
    ids: Ids
    second: int
    names: tuple[str, ...]
    """The ids in the path."""
    parameters: Parameters
    events: Sequence[Json]
    """The account's events, oldest first."""
    pending: Mapping[str, int]
    """By event: how many endpoints have not taken it yet."""
    told: list[Told] = field(default_factory=list)

    def tell(self, type_: str, subject: Json, previous: Json | None = None) -> None:
        """Tell of what happened; `previous` are the changed values as they were before."""
        self.told.append(Told(type_, subject, previous))
