"""`make bench`: run the benchmarks, all or some, print one table and write it to RESULTS.md."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
from rich.console import Console

from tests.benchmarks import (
    accept,
    again,
    apply,
    growth,
    memory,
    query,
    report,
    spread,
    start,
    sync_engine,
    visible,
)
from tests.benchmarks.rows import Row

RESULTS = Path(__file__).parent / "RESULTS.md"

PARTS: Mapping[str, Callable[[Path, float], Iterator[Row]]] = {
    "accept": accept.measure,
    "apply": apply.measure,
    "again": again.measure,
    "visible": visible.measure,
    "query": query.measure,
    "memory": memory.measure,
    "growth": growth.measure,
    "spread": spread.measure,
    "start": start.measure,
    "rival": sync_engine.measure,
}


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice([*PARTS]))
@click.option(
    "--scale",
    type=click.FloatRange(0, 100, min_open=True),
    default=1.0,
    show_default=True,
    help="How much of the usual load; beyond 1 it takes memory and time in proportion.",
)
@click.option("--results", type=click.Path(path_type=Path), help="Where to write the table.")
def main(parts: tuple[str, ...], scale: float, results: Path | None) -> None:
    """Measure PARTS, or all of them; each with servers of its own.

    All of them at full scale are written to RESULTS.md.
    """
    console = Console(stderr=True)
    rows: list[Row] = []
    try:
        with tempfile.TemporaryDirectory(prefix="onfile-bench-") as folder:
            for part in parts or PARTS:
                with console.status(f"measuring: {part}"):
                    for row in PARTS[part](Path(folder, part), scale):
                        rows.append(row)
                        console.print(f"{part}: {row.measured} · {row.beside}")
    finally:
        report.show(rows, Console())
    if results or (not parts and scale == 1):
        report.write(rows, results or RESULTS, scale=scale)


if __name__ == "__main__":
    main()
