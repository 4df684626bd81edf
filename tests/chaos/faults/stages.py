"""Deaths in every stage of a job, from its taking off the queue to RQ's last note of it."""

from itertools import product
from random import Random
from signal import SIGKILL

from tests.chaos.faults.fault import Fault
from tests.chaos.rig import Rig
from tests.chaos.sabotage import STAGES
from tests.chaos.verdict import BrokenPromiseError

OFTEN = {"merge": 4}
"""Stages that come that often in one job, however few events are left of the load."""


class KilledInStage(Fault):
    """A worker dies right before or right after a stage of its job; each round another stage."""

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._plans = list(product(("die-before", "die-after"), STAGES))
        chance.shuffle(self._plans)

    def strike(self, rig: Rig) -> None:
        """Let one worker alone do all the work until it dies."""
        deed, stage = plan = self._plans.pop()
        self._plans.insert(0, plan)
        number = self.chance.randint(1, OFTEN.get(stage, 1))
        rig.replace_workers(wanted=1, plan=f"{deed}:{stage}:{number}")
        [doomed] = rig.workers
        rig.until(f"a worker came to {deed} {stage}", lambda: doomed.poll() is not None)
        if doomed.returncode != -SIGKILL:
            raise BrokenPromiseError(f"it ended with {doomed.returncode}, not by its own hand")
        rig.replace_workers()
