"""The benchmarks run, and judge what they find as they should; how fast it is no test says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.benchmarks import apply, lives, npm, processes
from tests.benchmarks.laps import runner
from tests.benchmarks.rows import Row

PROJECT = Path(__file__).parents[1]


def measured(folder: Path, *words: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the table that a run with these words writes."""
    results = folder / "results.md"
    command = [sys.executable, "-m", "tests.benchmarks", *words, "--results", str(results)]
    ran = subprocess.run(
        command, cwd=PROJECT, env=environ, check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return results.read_text()


@pytest.mark.parametrize(
    ("ratio", "goal", "met"),
    [
        (0.7, "≥ 0.7", True),
        (0.69, "≥ 0.7", False),
        (15.0, "≤ 15", True),
        (15.1, "≤ 15", False),
        (1.0, "", None),
    ],
)
def test_a_goal_is_met_from_its_limit_on(ratio: float, goal: str, met: bool | None) -> None:  # noqa: FBT001
    assert Row("what", "1", "2", ratio, goal).met is met


def test_a_part_runs_by_itself_with_servers_of_its_own_and_writes_its_table(tmp_path: Path) -> None:
    table = measured(tmp_path, "memory", "--scale", "0.01")
    assert len(re.findall(r"^\| memory: .*$", table, re.MULTILINE)) == 2
    assert "Scaled to 0.01" in table


def test_what_cannot_be_measured_here_says_what_is_missing(tmp_path: Path) -> None:
    table = measured(tmp_path, "rival", environ=os.environ | {"PATH": str(tmp_path)})
    assert "| not measured | Node.js is not installed here (npm) |" in table


def test_a_lap_in_one_process_ends_when_all_of_it_is_applied(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.in_process"]
    with (
        processes.store(tmp_path / "store") as url,
        runner(command, tmp_path / "log", {"REDIS_URL": url}) as one,
        processes.client(url) as log,
    ):
        for laps in (1, 2):
            one.rate(5, in_flight=7)
            assert apply.settled(log) == laps * 5 * lives.EVENTS


def test_npm_packages_are_pinned_by_their_hashes_and_name_no_registry() -> None:
    text = (npm.PINNED / npm.LOCK).read_text()
    _, *packages = json.loads(text)["packages"].values()
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert "http" not in text
