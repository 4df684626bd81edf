"""Train a dictionary, or measure the shipped ones: python -m service.dictionaries.train --help.

To be run from a clone, never by the program: it reads the payloads under tests/data. A dictionary
that was ever released stays; training writes another with the next id, and service/compression.py
names the ids to write with.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import click
import zstandard

from service import compression
from service.dictionaries import samples

HERE = Path(__file__).parent
DATA = HERE.parent.parent / "tests" / "data"

FIRST_ID = compression.IDS.start

SIZE_BYTES = 64 * 1024
SEED = 1
TRAINED_ON = 6_000
MEASURED = 2_000

_POOLS: dict[str, Callable[..., list[bytes]]] = {
    "events": samples.events,
    "documents": samples.documents,
}

Dictionary: TypeAlias = zstandard.ZstdCompressionDict


@click.group()
def main() -> None:
    """Train dictionaries, or measure them."""


@main.command()
@click.argument("kind", type=click.Choice(list(_POOLS)))
def new(kind: str) -> None:
    """Train the next dictionary, for events or for documents."""
    taken = [int(file.stem) for file in HERE.glob("*.zdict")]
    file = HERE / f"{max(taken, default=FIRST_ID - 1) + 1}.zdict"
    file.write_bytes(_train(_POOLS[kind](DATA, SEED, TRAINED_ON), int(file.stem)).as_bytes())
    click.echo(f"{file.name}: {file.stat().st_size} bytes")


@main.command()
def measure() -> None:
    """Show bytes per event and per document, of contents that nothing was trained on."""
    events, documents = _shipped(compression.EVENTS_ID), _shipped(compression.DOCUMENTS_ID)
    known = samples.events(DATA, SEED + 1, MEASURED)
    recorded = [body for seed in range(100, 150) for body in samples.recorded_events(DATA, seed)]
    unseen = _train(samples.events(DATA, SEED, TRAINED_ON, recorded=False), FIRST_ID)
    packed = samples.documents(DATA, SEED + 2, MEASURED)
    click.echo(f"{'':56} {'raw':>6} {'stored':>6} {'ratio':>6}")
    for text, bodies, dictionary in (
        ("events, shapes trained on, contents not", known, events),
        ("recorded events, shapes trained on, contents not", recorded, events),
        ("recorded events, dictionary trained without any of them", recorded, unseen),
        ("recorded events, no dictionary", recorded, None),
        ("documents, shapes trained on, contents not", packed, documents),
        ("documents, no dictionary", packed, None),
    ):
        raw = sum(map(len, bodies)) / len(bodies)
        stored = _mean_stored(bodies, dictionary)
        click.echo(f"{text:56} {raw:6.0f} {stored:6.0f} {raw / stored:6.1f}")


def _train(pool: list[bytes], dictionary_id: int) -> Dictionary:
    return zstandard.train_dictionary(
        SIZE_BYTES, [*pool], dict_id=dictionary_id, level=compression.LEVEL
    )


def _shipped(dictionary_id: int) -> Dictionary:
    return Dictionary((HERE / f"{dictionary_id}.zdict").read_bytes())


def _mean_stored(bodies: list[bytes], dictionary: Dictionary | None) -> float:
    compressor = zstandard.ZstdCompressor(level=compression.LEVEL, dict_data=dictionary)
    return sum(len(compressor.compress(body)) for body in bodies) / len(bodies)


if __name__ == "__main__":
    main()
