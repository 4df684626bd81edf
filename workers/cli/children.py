"""The processes of `onfile up`: each is started again when it ends, after a pause that grows."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

import structlog

from workers.cli.parent import bind_to_parent

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0

STEADY_SECONDS = 10.0
"""A child that has run this long is well: its next pause is the first again."""


@dataclass
class Child:
    """A process that shall run until it is told to stop."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    output: int | IO[bytes]
    stop_seconds: float
    """How long it may take to finish its work when told to stop."""
    pass_fds: Sequence[int] = ()
    errors: int = subprocess.STDOUT
    """Where its standard error goes: with its output, unless told otherwise."""
    on_start: Callable[[int], None] | None = None
    """Told its process id at every start."""
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    """How often it has ended since it last was steady."""
    started_at: float = 0.0
    due_at: float | None = field(default=None, init=False)
    """When it is to be started again; None while it runs."""

    def start(self) -> subprocess.Popen[bytes]:
        """Start it in a process group of its own: Ctrl-C is for `onfile up`, which stops it."""
        self.due_at = None
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 (our own command line)
            self.command,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.errors,
            pass_fds=self.pass_fds,
            process_group=0,
            preexec_fn=bind_to_parent(),  # noqa: PLW1509 (one thread, and nothing but a system call)
        )
        if self.on_start:
            self.on_start(self.process.pid)
        structlog.get_logger().info("process.started", process=self.name, pid=self.process.pid)
        return self.process

    def tend(self) -> None:
        """Note that it has ended, or start it again when its pause is over."""
        now = time.monotonic()
        if self.due_at is not None:
            if now >= self.due_at:
                self.start()
        elif self.process is not None and self.process.poll() is not None:
            steady = now - self.started_at >= STEADY_SECONDS
            self.deaths = 1 if steady else self.deaths + 1
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (self.deaths - 1), LONGEST_PAUSE_SECONDS)
            self.due_at = now + pause
            structlog.get_logger().warning(
                "process.ended",
                process=self.name,
                pid=self.process.pid,
                how=how_it_ended(self.process.returncode),
                starts_again_in_seconds=pause,
            )

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there to get one."""
        if self.running and self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


def how_it_ended(status: int) -> str:
    """Return an exit status in words."""
    if status >= 0:
        return f"exit {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
