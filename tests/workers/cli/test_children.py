"""Child processes: started again after a death, stopped in time."""

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from workers.cli.children import LONGEST_PAUSE_SECONDS, Child, how_it_ended
from workers.cli.parent import KERNEL_TELLS
from workers.cli.supervisor import Signals, stop, tend

if TYPE_CHECKING:
    from tests.workers.cli.conftest import Up

pytestmark = pytest.mark.usefixtures("_quiet")


@pytest.fixture
def _quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """What children and their supervisor say is not the point here."""
    _ = capsys


def child(program: str, *, stop_seconds: float = 20) -> Child:
    return Child(
        name="child",
        command=[sys.executable, "-c", program],
        environ={},
        output=subprocess.DEVNULL,
        stop_seconds=stop_seconds,
    )


def test_what_ends_at_once_is_started_again_after_pauses_that_grow() -> None:
    failing = child("exit(3)")
    pauses = []
    for _ in range(9):
        failing.start().wait()
        failing.tend()
        assert failing.due_at
        pauses.append(round(failing.due_at - time.monotonic(), 1))
    assert failing.deaths == 9
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_what_was_steady_is_started_again_soon() -> None:
    steady = child("")
    steady.start().wait()
    steady.deaths = 7
    steady.started_at -= 60
    steady.tend()
    assert steady.deaths == 1


def test_a_pause_is_slept_through_and_a_death_wakes_up() -> None:
    with Signals() as signals:
        short = child("import time; time.sleep(0.2)")
        first = short.start()
        began = time.monotonic()
        while short.deaths == 0:
            tend([short], signals, longest=20)
        assert time.monotonic() - began < 10
        while short.due_at is not None:
            tend([short], signals, longest=20)
        assert short.process
        assert short.process.pid != first.pid
        stop([short], signals)
        assert not short.running


DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(flush=True)
time.sleep(60)
"""


def test_what_does_not_stop_is_killed_when_its_time_is_over() -> None:
    with Signals() as signals:
        stubborn = child(DEAF, stop_seconds=0.1)
        stubborn.output = subprocess.PIPE
        process = stubborn.start()
        assert process.stdout
        process.stdout.readline()
        stop([stubborn], signals)
        process.stdout.close()
        assert process.returncode == -signal.SIGKILL


def test_a_second_signal_hurries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.cli.supervisor.HURRIED_SECONDS", 0.1)
    with Signals() as signals:
        stubborn = child(DEAF, stop_seconds=60)
        stubborn.output = subprocess.PIPE
        process = stubborn.start()
        assert process.stdout
        process.stdout.readline()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        stop([stubborn], signals)
        process.stdout.close()
        assert process.returncode == -signal.SIGKILL


def test_an_end_is_told_in_words() -> None:
    assert how_it_ended(1) == "exit 1"
    assert how_it_ended(-9) == "killed by SIGKILL"
    assert how_it_ended(-200) == "killed by signal 200"


PARENT = """
import os, subprocess, sys, time
from workers.cli.parent import bind_to_parent
bind = bind_to_parent() if {bound} else None
child = subprocess.Popen([sys.executable, "-c", {child!r}, str(os.getpid())], preexec_fn=bind)
print(child.pid, flush=True)
time.sleep(60)
"""

WATCHING = """
import sys, time
from workers.cli import parent
parent.watch(int(sys.argv[1]))
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("bound", "program"),
    [
        pytest.param(
            True,
            "import time; time.sleep(60)",
            id="bound",
            marks=pytest.mark.skipif(not KERNEL_TELLS, reason="only Linux can bind"),
        ),
        pytest.param(False, WATCHING, id="watching"),
    ],
)
def test_a_child_ends_with_its_parent(running: "Up", *, bound: bool, program: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(bound=bound, child=program)], stdout=subprocess.PIPE
    )
    assert parent.stdout
    pid = int(parent.stdout.readline())
    assert running.is_alive(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    running.until(lambda: not running.is_alive(pid))
