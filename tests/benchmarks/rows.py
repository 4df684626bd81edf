"""What a benchmark finds: rows of one table, each a ratio of two figures taken in one run."""

from typing import NamedTuple


class Row(NamedTuple):
    """One figure beside what it is compared with."""

    what: str
    measured: str
    beside: str
    """What it is compared with, in words and with its own figure; empty where with nothing."""
    ratio: float | None
    """Or the figure itself, where it is compared with a limit alone."""
    goal: str
    """`≥ 0.7`, `≤ 15`; empty where there is none."""
    made_with: str = ""
    """What took part besides the libraries that take part in all of it, with versions."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if not self.goal or self.ratio is None:
            return None
        sign, _, limit = self.goal.partition(" ")
        return self.ratio >= float(limit) if sign == "≥" else self.ratio <= float(limit)


def rate(number: float, unit: str = "events/s") -> str:
    """Return a rate as the table shows it."""
    return f"{number:,.0f} {unit}"
