"""What happened at Stripe: what each event told of an object, and what no event told.

Of every object two things are known: its truth, and its *told state*, which is what somebody knows
who has heard every event in Stripe's own order and nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from service.sandbox.books import Books
from service.sandbox.errors import Json
from service.sandbox.resources.payment_method_views import CARD_ADDRESS

Path: TypeAlias = tuple[str, ...]

SHOWN_WHOLE = frozenset({"customer", "card", "bank_account", "source", "bitcoin_receiver"})

_ON_CARDS = ("exp_month", "exp_year", "fingerprint", "last4")
SHOWN_BY_VIEW: Mapping[str, Sequence[Path]] = {
    "card": [("metadata",), *((f,) for f in (*_ON_CARDS, "name", *CARD_ADDRESS.values()))],
    "source": [
        ("metadata",),
        *(("card", field) for field in _ON_CARDS),
        *(("owner", field) for field in ("address", "email", "name", "phone")),
    ],
}
"""By a source's own `object`: what its PaymentMethod shows of what can change."""


class Telling(NamedTuple):
    """One event, as far as it told of one object."""

    second: int
    by_view: bool
    """It shows the object as a PaymentMethod."""
    says_what_changed: bool
    """It has `previous_attributes`."""
    says_its_place: bool
    """It tells of the beginning or of the end."""
    moved: frozenset[Path]
    """What the operation changed."""
    before: Json | None
    """The object before the operation; None when there was none."""
    state: Json
    """The told state after this event."""


class Silence(NamedTuple):
    """One change that no event told."""

    name: str
    """What kind of change it was: the name of the excuse."""
    paths: frozenset[Path]


class UntoldError(Exception):
    """An operation changed what no event told, and was not known to do so."""


class History:
    """Everything that happened, object by object."""

    def __init__(self) -> None:
        self.customers: list[str] = []
        self.sources: dict[str, str] = {}
        """Every source there has been: its latest customer, or nobody."""
        self.added: dict[str, tuple[int, bool]] = {}
        """By source: when, and whether others were there before it."""
        self.tellings: dict[str, list[Telling]] = {}
        self.told: dict[str, Json] = {}
        self.silences: dict[str, list[Silence]] = {}
        """What was changed silently and has not been shown since."""
        self.silent_seconds: dict[str, set[int]] = {}
        """By object: when something was changed silently, ever."""
        self._truth: dict[str, Json] = {}
        self._wallets: dict[str, tuple[str, ...]] = {}

    def record(
        self, books: Books, events: Sequence[Json], *, second: int, silent: str = ""
    ) -> None:
        """Note what an operation changed and what its events told.

        Args:
            books: as they are after it.
            events: what it told.
            second: when it was.
            silent: the name of what it does without telling.

        Raises:
            UntoldError: it changed something else without telling.

        """
        truth = {**books.customers, **books.sources}
        moved = {
            name: frozenset(differing(self._truth.get(name), new))
            for name, new in truth.items()
            if self._truth.get(name) != new
        }
        for event in events:
            self._hear(event, truth, moved)
        for name, paths in moved.items():
            if truth[name].get("deleted"):
                self.told[name] = truth[name]
            untold = paths & frozenset(differing(self.told.get(name), truth[name]))
            if untold and not silent:
                raise UntoldError(f"{name}: {sorted(untold)} changed and no event told")
            if untold:
                self.silences.setdefault(name, []).append(Silence(silent, untold))
                self.silent_seconds.setdefault(name, set()).add(second)
        self._note_owners(books, second)
        self._truth = truth

    def _hear(
        self, event: Json, truth: Mapping[str, Json], moved: Mapping[str, frozenset[Path]]
    ) -> None:
        shown = event["data"]["object"]
        name, by_view = shown["id"], shown["object"] == "payment_method"
        if not by_view and shown["object"] not in SHOWN_WHOLE:
            return  # a transaction or a mandate's notification shows no source's state
        state = shown
        if by_view:
            told = self.told.get(name, truth[name])
            state = with_shared(told, truth[name])
        self.told[name] = state
        telling = Telling(
            second=event["created"],
            by_view=by_view,
            says_what_changed="previous_attributes" in event["data"],
            says_its_place=event["type"].endswith(("created", "attached", "deleted", "detached")),
            moved=moved.get(name, frozenset()),
            before=self._truth.get(name),
            state=state,
        )
        self.tellings.setdefault(name, []).append(telling)
        hidden = frozenset(differing(state, truth[name]))
        self.silences[name] = [
            silence._replace(paths=silence.paths & hidden)
            for silence in self.silences.get(name, ())
            if silence.paths & hidden
        ]

    def _note_owners(self, books: Books, second: int) -> None:
        for name in books.sources:
            self.sources.setdefault(name, "")
        for customer, wallet in books.wallets.items():
            if customer not in self._wallets:
                self.customers.append(customer)
            before = self._wallets.get(customer, ())
            for name in wallet:
                if name not in before:
                    self.sources[name] = customer
                    self.added[name] = second, bool(before)
            self._wallets[customer] = wallet


def differing(one: Json | None, other: Json | None, above: Path = ()) -> Iterator[Path]:
    """Yield the paths at which two objects differ; what is an object on both sides is gone into."""
    mine, theirs = one or {}, other or {}
    for key in mine.keys() | theirs.keys():
        left, right = mine.get(key), theirs.get(key)
        if isinstance(left, dict) and isinstance(right, dict):
            yield from differing(left, right, (*above, key))
        elif left != right:
            yield (*above, key)


def at(value: Json | None, path: Path) -> object:
    """Return what stands at a path; None where nothing does."""
    inside: object = value
    for key in path:
        inside = inside.get(key) if isinstance(inside, dict) else None
    return inside


def with_shared(source: Json, other: Json) -> Json:
    """Return a source with what its second view shows taken from another state of it."""
    for path in SHOWN_BY_VIEW.get(source["object"], ()):
        source = _placed(source, path, other)
    return source


def _placed(value: Json, path: Path, other: Json) -> Json:
    key, *rest = path
    if key not in other:
        return value
    if not rest:
        return value | {key: other[key]}
    if isinstance(value.get(key), dict) and isinstance(other[key], dict):
        return value | {key: _placed(value[key], tuple(rest), other[key])}
    return value
