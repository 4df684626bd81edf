"""The benchmarks run, and judge what they find as they should; how fast it is no test says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.rows import Row

PROJECT = Path(__file__).parents[1]


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
    results = tmp_path / "results.md"
    command = [sys.executable, "-m", "tests.benchmarks", "memory", "--scale", "0.01"]
    ran = subprocess.run(
        [*command, "--results", str(results)],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    rows = re.findall(r"^\| memory: .*$", results.read_text(), re.MULTILINE)
    assert len(rows) == 2
    assert "Scaled down to 0.01" in results.read_text()
