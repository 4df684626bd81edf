"""Commit documents: load, derive, store; and again until nobody was in between."""

from collections.abc import Iterable, Iterator, Mapping

from service.keys import Subject
from service.projection import Projection, Write
from workers.algebra.links import A, F, Stored
from workers.deriving import Batch, Kind, Merged, derive_all
from workers.effect import Effect

CONFLICT_ROUNDS = 1_000
"""Every conflict means that another worker got on; this many in a row mean something is broken."""


class ConflictError(Exception):
    """The store refuses a document again and again: something else may be writing to its keys."""


def commit_all(
    projection: Projection, batch: Batch[F], kind: Kind[F, A], effect: Effect
) -> Mapping[Subject, Stored[F, A]]:
    """Return the documents of a batch as they stand once all of them are stored.

    What cannot be derived is noted in `effect`, and what changed.

    Raises:
        ConflictError: others are in between, again and again.
        redis.RedisError: the store is away.

    """
    done: dict[Subject, Stored[F, A]] = {}
    open_subjects = list(batch.facts)
    for _ in range(CONFLICT_ROUNDS):
        if not open_subjects:
            return done
        values = projection.load([kind.key(*subject) for subject in open_subjects])
        documents = zip(open_subjects, values, strict=True)
        derived: list[Merged[F, A]] = []
        writes = _writes(derive_all(documents, batch, kind, effect), derived)
        committed = iter(projection.commit(writes))
        open_subjects = []
        metered: list[str] = []
        for one in derived:
            if one.write and not next(committed):
                open_subjects.append(one.subject)
                continue
            done[one.subject] = one.stored
            metered += one.metered
            if one.write:
                effect.changed.update(batch.entries[one.subject])
        effect.meters.update(metered)
    raise ConflictError(f"{len(open_subjects)} documents were refused {CONFLICT_ROUNDS} times")


def _writes(merged: Iterable[Merged[F, A]], derived: list[Merged[F, A]]) -> Iterator[Write]:
    """Yield what is to be stored as it is derived, and note all that was."""
    for one in merged:
        derived.append(one)
        if one.write:
            yield one.write
