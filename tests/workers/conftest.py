"""After a soak, how often answers of each kind were given: what the tests recorded of it."""

from collections import Counter

import pytest

from tests.workers.histories import SOAKING


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the sums over all worlds when more is tried than usual."""
    sums: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []) if SOAKING else ():
        sums.update({name: n for name, n in report.user_properties if isinstance(n, int)})
    for name, number in sorted(sums.items()):
        terminalreporter.write_line(f"{number:>9,} {name}")
