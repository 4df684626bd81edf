"""Tests that are killed leave nothing behind: what they start ends with them."""

import subprocess
import sys
from pathlib import Path

import pytest
import redis

from tests.flow.conftest import eventually
from workers.cli.parent import KERNEL_TELLS

STARTS_A_STORE = """
import sys, time
from pathlib import Path
from tests.conftest import Store

store = Store(Path(sys.argv[1]))
store.start()
print(store.url, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not KERNEL_TELLS, reason="only Linux ends a process with its parent")
def test_a_store_ends_with_the_tests_that_are_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_A_STORE, str(tmp_path)],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
    ) as tests:
        assert tests.stdout
        url = tests.stdout.readline().strip()
        assert answers(url)
        tests.kill()
    eventually(lambda: not answers(url))


def answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False
