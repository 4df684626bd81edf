"""Start: what a person waits for before anything has happened."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.processes import free_port
from tests.benchmarks.rows import Row

TIMES = 5
STOP_SECONDS = 30
ONFILE = [sys.executable, "-m", "workers.cli.main"]
FOUND_IN_ENVIRONMENT = ("REDIS_URL", "ONFILE_PROJECTION_URL")


def measure(folder: Path, scale: float) -> Iterator[Row]:  # noqa: ARG001 - nothing to scale down
    """Yield the rows of start: of several times the least, the one disturbed least."""
    seconds = min(_help() for _ in range(TIMES))
    yield Row("start: `onfile --help`", f"{seconds:.2f} s", "", seconds, "≤ 0.3")
    seconds = min(_up(folder / str(number)) for number in range(TIMES))
    yield Row("start: `onfile up` until it is ready", f"{seconds:.2f} s", "", seconds, "≤ 2")


def _help() -> float:
    began = time.perf_counter()
    subprocess.run([*ONFILE, "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _up(folder: Path) -> float:
    environ = {name: v for name, v in os.environ.items() if name not in FOUND_IN_ENVIRONMENT}
    folder.mkdir(parents=True)
    command = [*ONFILE, "up", "--port", str(free_port()), "--data-dir", str(folder)]
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        ready = any(line.startswith("ready ") for line in process.stdout)
        seconds = time.perf_counter() - began
        process.terminate()
        process.communicate(timeout=STOP_SECONDS)
    assert ready, "it ended before it was ready"
    return seconds
