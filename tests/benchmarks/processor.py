"""Processor time: what the processes of a benchmark have taken, told where Linux is the system.

Neighbours on the machine change how long something takes, and hardly how much of this it takes.
"""

import os
import sys
from pathlib import Path

TOLD = sys.platform == "linux"


def of_children() -> float:
    """Return the seconds that all processes started by this one have taken, ended ones included."""
    return _of_children_of(os.getpid()) + sum(os.times()[2:4])


def _of_children_of(pid: int) -> float:
    """Return the seconds of the living ones, and of whatever those have started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(map(_of, map(int, children)))


def _of(pid: int) -> float:
    """Return the seconds of a process and its children, the living ones looked at first.

    So one that ends meanwhile is counted with its parent, who has waited for it by then.
    """
    try:
        of_living = _of_children_of(pid)
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    user_to_waited_for = stat.rpartition(")")[2].split()[11:15]
    return of_living + sum(map(int, user_to_waited_for)) / os.sysconf("SC_CLK_TCK")
