"""Rival: Onfile in one process beside what one would take instead, with PostgreSQL.

`@supabase/stripe-sync-engine` keeps a row for each object of Stripe's. It knows no sources, so the
cards of this load are told of as payment methods, which both know. It leaves HTTP to others, so
neither is asked over it.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.benchmarks import lives, load, npm, postgres, processor
from tests.benchmarks.laps import Runner, runner
from tests.benchmarks.processes import SECRET, MissingError, program, store
from tests.benchmarks.rows import Row, rate

PACKAGE = "@supabase/stripe-sync-engine"
PROGRAM = Path(__file__).parent / "node" / "handle.cjs"

CUSTOMERS = 5_000
LEAST_CUSTOMERS = 50
IN_FLIGHT = (256, 64, 16)
"""How many deliveries at once are tried with each; it is measured with what suits it best."""


def measure(folder: Path, scale: float) -> Iterator[Row]:
    """Yield the rows of rival; where it cannot run, one that says why."""
    try:
        yield from _rows(folder, scale)
    except MissingError as missing:
        yield Row(f"rival: `{PACKAGE}`", "not measured", str(missing), None, "")


def _rows(folder: Path, scale: float) -> Iterator[Row]:
    many, some, few = (max(LEAST_CUSTOMERS, round(CUSTOMERS * scale / n)) for n in (1, 5, 20))
    with _theirs(folder) as theirs, _ours(folder) as ours:
        both = ours, theirs
        best = _best(ours, some), _best(theirs, some)
        yield _row(many, best, _side_by_side(Runner.rate, both, many, best))
        if processor.TOLD:
            costs = _side_by_side(_cost, both, some, best)
            what = "rival: the processor's time for such an event, the store's included"
            beside = f"`{PACKAGE}` and PostgreSQL: {costs[1]:.0f} µs"
            yield Row(what, f"{costs[0]:.0f} µs", beside, costs[0] / costs[1], "")
        yield _row(few, (1, 1), _side_by_side(Runner.rate, both, few, (1, 1)))


def _best(one: Runner, customers: int) -> int:
    """Return what suits it best, and leave it warm."""
    one.rate(customers, IN_FLIGHT[0])
    return max(IN_FLIGHT, key=lambda in_flight: one.rate(customers, in_flight))


def _side_by_side(
    figure: Callable[[Runner, int, int], float],
    both: tuple[Runner, Runner],
    customers: int,
    at_once: tuple[int, int],
) -> tuple[float, float]:
    """Return a figure of both, taken in turns; a lap takes as long as it takes."""

    def of(one: Runner, in_flight: int, _seconds: float) -> float:
        return figure(one, customers, in_flight)

    ours, theirs = (partial(of, *one) for one in zip(both, at_once, strict=True))
    return load.side_by_side(ours, theirs, seconds=0)


def _cost(one: Runner, customers: int, in_flight: int) -> float:
    """Return the microseconds of processor time for an event of one more lap; the other is idle."""
    began = processor.of_children()
    one.rate(customers, in_flight)
    return (processor.of_children() - began) * 1e6 / (customers * lives.EVENTS)


def _row(customers: int, at_once: tuple[int, int], rates: tuple[float, float]) -> Row:
    ours, theirs = rates
    events = f"{customers * lives.EVENTS:,} events in one process"
    return Row(
        f"rival: {events}, {at_once[0]} at once, until each is logged and in the answers",
        rate(ours),
        f"`{PACKAGE}`, {at_once[1]} at once, until each of a later second than the last has"
        f" replaced its row; no log, no default derived: {rate(theirs)}",
        ours / theirs,
        "",
        made_with=f"{PACKAGE} {npm.version(PACKAGE)} on Node.js {_node_version()}"
        f" and PostgreSQL {postgres.version()}",
    )


@contextmanager
def _ours(folder: Path) -> Iterator[Runner]:
    command = [sys.executable, "-m", "tests.benchmarks.in_process"]
    with (
        store(folder / "store") as url,
        runner(command, folder / "ours.log", {"REDIS_URL": url}) as one,
    ):
        yield one


@contextmanager
def _theirs(folder: Path) -> Iterator[Runner]:
    """Run it as its README shows it; raises MissingError."""
    folder.mkdir(parents=True)
    modules = {"NODE_PATH": str(npm.install())}
    with postgres.postgres() as url:
        command = [program("node", "Node.js"), str(PROGRAM), url, SECRET]
        with runner(command, folder / "theirs.log", modules) as one:
            yield one


def _node_version() -> str:
    told = subprocess.check_output([program("node", "Node.js"), "--version"], text=True)
    return told.strip().removeprefix("v")
