"""Growth: apply and query beside a full projection as beside a small one."""

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import apply, filled, query
from tests.benchmarks.processes import client, store, web
from tests.benchmarks.rows import Row, rate

FEW = 10_000
MANY = 1_000_000
CARDS = 2
ASKED = 2_000
BACKLOG_CUSTOMERS = 5_000
SECONDS = 4.0


def measure(folder: Path, scale: float) -> Iterator[Row]:
    """Yield the rows of growth."""
    many = max(FEW, round(MANY * scale))
    applied, asked = {}, {}
    for customers in (FEW, many):
        own = folder / str(customers)
        with store(own) as url, client(url) as projection:
            filled.fill(projection, ASKED, cards=CARDS)
            filled.clone(projection, customers - ASKED, cards=CARDS)
            with web(url, own) as port:
                asked[customers] = query.asked(port, "/v1/customers/{}", ASKED, SECONDS)
            applied[customers] = apply.drained(url, own, BACKLOG_CUSTOMERS, first=ASKED)
    for what, rates, unit in (("apply", applied, "events/s"), ("query", asked, "a second")):
        few, full = rates[FEW], rates[many]
        beside = f"at {FEW:,}: {rate(few, unit)}"
        yield Row(
            f"growth: {what} at {many:,} customers", rate(full, unit), beside, full / few, "≥ 0.85"
        )
