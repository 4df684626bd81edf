"""Growth: apply and query beside a full projection as beside a small one, in turns."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path

from tests.benchmarks import apply, filled, load, query
from tests.benchmarks.processes import client, store, web
from tests.benchmarks.rows import Row, rate

FEW = 10_000
MANY = 1_000_000
CARDS = 2
ASKED = 2_000
BACKLOG_CUSTOMERS = 4_000
SECONDS = 6.0


def measure(folder: Path, scale: float) -> Iterator[Row]:
    """Yield the rows of growth."""
    many = max(FEW, round(MANY * scale))
    with ExitStack() as stack:
        urls = [stack.enter_context(store(folder / size)) for size in ("few", "many")]
        for url, customers in zip(urls, (FEW, many), strict=True):
            with client(url) as projection:
                filled.fill(projection, ASKED, cards=CARDS)
                filled.clone(projection, customers - ASKED, cards=CARDS)
        few, full = (
            partial(_applied, url, folder, count(ASKED, BACKLOG_CUSTOMERS)) for url in urls
        )
        yield _row("apply", "events/s", many, *load.side_by_side(full, few, seconds=SECONDS))
        ports = [stack.enter_context(web(url, folder)) for url in urls]
        few, full = (partial(query.asked, port, "/v1/customers/{}", ASKED) for port in ports)
        yield _row("query", "a second", many, *load.side_by_side(full, few, seconds=SECONDS))


def _applied(url: str, folder: Path, firsts: Iterator[int], _seconds: float) -> float:
    """Return the events a second of one more backlog, however long it takes."""
    return apply.drained(url, folder, BACKLOG_CUSTOMERS, first=next(firsts))


def _row(what: str, unit: str, many: int, full: float, few: float) -> Row:
    beside = f"at {FEW:,}: {rate(few, unit)}"
    return Row(
        f"growth: {what} at {many:,} customers", rate(full, unit), beside, full / few, "≥ 0.85"
    )
