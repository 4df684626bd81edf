"""The report: one table of verdicts, and how to have again what did not hold."""

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from tests.chaos.ordeal import Plan
from tests.chaos.verdict import RECOVERY_SECONDS, Verdict


def table(verdicts: Sequence[Verdict]) -> Table:
    """Return the table: one row a fault."""
    made = Table(title="What Onfile was put through", title_justify="left", box=SIMPLE)
    made.add_column("fault", no_wrap=True)
    for heading in ("rounds", "acknowledged", "refused", "lost", "wrong", "longest recovery"):
        made.add_column(heading, justify="right", min_width=max(map(len, heading.split())))
    for one in verdicts:
        numbers = (one.rounds, one.acknowledged, one.refused, one.lost, one.wrong)
        made.add_row(
            one.fault,
            *(f"{number:,}" for number in numbers),
            f"{one.recovery_seconds:.1f} s",
            style=None if one.held else "red",
        )
    return made


def explain(console: Console, verdict: Verdict, plan: Plan) -> None:
    """Say what did not hold, and how to have it again."""
    again = " ".join(f"--{name} {value}" for name, value in plan._asdict().items())
    late = verdict.recovery_seconds > RECOVERY_SECONDS
    complaints = [
        *([f"all was well only after {verdict.recovery_seconds:.1f} seconds"] if late else []),
        *([f"{verdict.lost} acknowledged events are not in the log"] if verdict.lost else []),
        *verdict.complaints,
    ]
    console.print(f"\n[red]{verdict.fault}[/] did not hold:")
    for complaint in complaints:
        console.print(f"  {complaint}", highlight=False, markup=False)
    console.print(f'  Again: make chaos ARGS="{again}"', highlight=False, markup=False)
