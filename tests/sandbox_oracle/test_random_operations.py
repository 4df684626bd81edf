"""Whatever is done at Stripe, and however its events come: every GET gives the same answer.

`ONFILE_EXAMPLES` histories are tried; with it set (`make soak`) they are other ones each time, it
is shown how far they are, and in the end what was done and which excuses were needed.
"""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.sandbox_oracle.onfile import Onfile
from tests.sandbox_oracle.shop import Shop

SOAKING = "ONFILE_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("ONFILE_EXAMPLES", "100"))
STEPS = 40

COLUMNS = (TextColumn("histories at Stripe"), MofNCompleteColumn(), TimeElapsedColumn())

searched = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=not SOAKING,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def test_every_answer_is_stripes_but_for_what_events_cannot_show(
    onfile: Onfile, capsys: pytest.CaptureFixture[str]
) -> None:
    tally: Counter[str] = Counter()
    console = Console(quiet=not SOAKING)

    class Tried(Shop):
        def __init__(self) -> None:
            super().__init__(onfile, tally)

        def teardown(self) -> None:
            super().teardown()
            progress.update(task, completed=tally["histories"])

    with capsys.disabled(), Progress(*COLUMNS, console=console) as progress:
        task = progress.add_task("", total=EXAMPLES)
        run_state_machine_as_test(Tried, settings=searched)
    with capsys.disabled():
        for name, number in sorted(tally.items()):
            console.print(f"{number:>12,} {name}")
    assert tally["answers compared"] > 30 * EXAMPLES
