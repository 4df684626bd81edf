"""Laps: deliveries that a process handles by itself, out of a file, and tells how long they took.

It reads a line from stdin, how many to have in flight and the file, and prints the seconds.
"""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from service.signature import sign
from tests.benchmarks import lives
from tests.benchmarks.processes import SECRET, running

SAID_CHARACTERS = 2_000


class Delivery(NamedTuple):
    """What comes with one webhook."""

    body: bytes
    signature: str


class StoppedError(Exception):
    """A process ended before its lap did; the message is the end of what it said."""


@dataclass
class Runner:
    """A process that has so far handled the lives of all customers before the next one."""

    process: "subprocess.Popen[bytes]"
    log: Path
    next_customer: int = 0

    def rate(self, customers: int, in_flight: int) -> float:
        """Return how many events a second it handles of the lives of some more customers.

        Raises:
            StoppedError: it could not.

        """
        path = self.log.with_suffix(".deliveries")
        _write(path, customers, first=self.next_customer)
        self.next_customer += customers
        assert self.process.stdin
        assert self.process.stdout
        with suppress(BrokenPipeError):
            self.process.stdin.write(f"{in_flight} {path}\n".encode())
        seconds = self.process.stdout.readline()
        if not seconds:
            raise StoppedError(self.log.read_text(errors="replace")[-SAID_CHARACTERS:])
        return customers * lives.EVENTS / float(seconds)


@contextmanager
def runner(command: list[str], log: Path, environ: Mapping[str, str] = {}) -> Iterator[Runner]:
    """Run a process that handles deliveries."""
    pipe = subprocess.PIPE
    with running(command, log, environ, stdin=pipe, stdout=pipe, bufsize=0) as process:
        yield Runner(process, log)


def read(path: str) -> list[Delivery]:
    """Return the deliveries of a file."""
    told = map(json.loads, Path(path).read_text().splitlines())
    return [Delivery(one["body"].encode(), one["signature"]) for one in told]


def _write(path: Path, customers: int, *, first: int) -> None:
    now = time.time()
    with path.open("w") as deliveries:
        for body in lives.lives(customers, first=first, as_payment_methods=True):
            one = {"body": body.decode(), "signature": sign(body, SECRET, now=now)}
            deliveries.write(json.dumps(one) + "\n")
