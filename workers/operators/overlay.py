"""An overlay of the projection: whatever is committed stays in memory, and shows what would change.

The store is read and never written to. Memory grows with the documents that change, and with no
others.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from service.documents import CustomerAnswer, SourceAnswer, decode_customer, decode_source
from service.drop import KEEP_ALL, Drop
from service.keys import subject_of
from service.projection import Projection, Write
from service.watch.logs import MASK
from workers.algebra.objects import Json, parsed
from workers.operators.envelope import shown


class Change(msgspec.Struct, frozen=True):
    """One part of an answer that would be another."""

    part: str
    """Its path, as sources.card_1.exp_year."""
    before: Json
    """None where it is not there."""
    after: Json


class Difference(msgspec.Struct, frozen=True):
    """An answer that would be another."""

    document: str
    """customer or source."""
    id: str
    account: str
    mode: str
    changes: list[Change]


class Overlay(Projection):
    """The projection as it would be."""

    def __init__(self, stored: Projection) -> None:
        self._stored = stored
        self.drop = stored.drop
        self._loaded: dict[str, bytes | None] = {}
        self._before: dict[str, bytes | None] = {}
        self._after: dict[str, bytes] = {}

    @property
    def written(self) -> Collection[str]:
        """The keys of what would be written."""
        return self._after.keys()

    def load(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the documents, those that were committed here in their new form."""
        missing = [key for key in keys if key not in self._after]
        self._loaded = dict(zip(missing, self._stored.load(missing), strict=True))
        return [self._after[key] if key in self._after else self._loaded[key] for key in keys]

    def commit(self, writes: Iterable[Write]) -> list[bool]:
        """Keep documents that were made from what was loaded just before."""
        kept = []
        for write in writes:
            self._before.setdefault(write.key, self._loaded.get(write.key))
            self._after[write.key] = write.value
            kept.append(True)
        return kept

    def differences(self) -> Iterator[Difference]:
        """Yield what would be answered otherwise, customers first."""
        for key in sorted(self._after):
            before, after = self._shown_before(key), _shown(key, self._after[key])
            changes = [
                Change(part, before.get(part), after.get(part))
                for part in sorted(before.keys() | after.keys())
                if before.get(part) != after.get(part)
            ]
            if changes:
                namespace, subject = subject_of(key)
                yield Difference(
                    document="customer" if key.startswith("onfile:c:") else "source",
                    id=subject,
                    account=namespace.account,
                    mode=namespace.mode,
                    changes=changes,
                )

    def _shown_before(self, key: str) -> dict[str, Json]:
        """Return what is shown now; what would be dropped is masked."""
        value = self._before[key]
        bare = _shown(key, value, self.drop)
        return {
            part: one if bare.get(part) == one else MASK for part, one in _shown(key, value).items()
        }


def _shown(key: str, value: bytes | None, drop: Drop = KEEP_ALL) -> dict[str, Json]:
    """Return all that queries show of a document, by its path."""
    if value is None:
        return {}
    if key.startswith("onfile:c:"):
        return dict(_of_customer(decode_customer(value)[1], drop))
    return dict(_of_source(decode_source(value)[1], drop))


def _of_customer(answer: CustomerAnswer, drop: Drop) -> Iterator[tuple[str, Json]]:
    yield from _parts("", _open(answer.body, drop))
    yield "default", answer.default
    yield "basis", answer.basis
    yield "ambiguous", ", ".join(answer.ambiguous)
    yield "sources", ", ".join(source.id for source in answer.sources)
    for source in answer.sources:
        yield from _parts(f"sources.{source.id}", _open(source.body, drop))
    yield "newest second", answer.second
    yield "newest event", answer.event


def _of_source(answer: SourceAnswer, drop: Drop) -> Iterator[tuple[str, Json]]:
    if answer.body:
        yield from _parts("", _open(answer.body, drop))
    yield "owner", answer.owner
    yield "gone", answer.gone
    yield "newest second", answer.second
    yield "newest event", answer.event


def _open(body: bytes, drop: Drop) -> Json:
    return parsed(shown(drop(body)).body)


def _parts(path: str, value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict) and value:
        for name, one in value.items():
            yield from _parts(f"{path}.{name}" if path else name, one)
    else:
        yield path, value
