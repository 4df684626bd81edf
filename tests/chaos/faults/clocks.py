"""Clocks: the machine's clock is set an hour forth or back, under everything that runs on it."""

import shutil
import struct
import subprocess
from pathlib import Path
from random import Random

from tests.chaos.faults.deaths import kill
from tests.chaos.faults.fault import Fault
from tests.chaos.rig import Rig
from tests.conftest import Store

SHIFTS_SECONDS = (-3600, 0, 3600)
TOLERANCE_SECONDS = 2 * 3600 + 300
"""Else the web process would take the senders' signatures for old ones, and refuse them all."""

SHIFTER = Path(__file__).parents[1] / "shifted_clock.c"


class JumpingClock(Fault):
    """The clock of store, web and workers jumps an hour forth or back; a worker may die with it."""

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._shift_seconds = 0

    @staticmethod
    def lacks() -> str:
        """Return that the shifter cannot be compiled."""
        return "" if shutil.which("cc") else "it takes a C compiler (cc) to shift a process's clock"

    def rig(self, folder: Path, seed: int) -> Rig:
        """Return a rig whose processes all have the shifter in them."""
        library, self._clock = folder / "shifted_clock.so", folder / "clock"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, SHIFTER], check=True)  # noqa: S607
        self._clock.write_bytes(struct.pack("q", 0))
        shifted = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(self._clock)}
        rig = Rig(folder, seed, Store(folder, **shifted))
        rig.settings |= shifted
        rig.settings["ONFILE_SIGNATURE_TOLERANCE_SECONDS"] = str(TOLERANCE_SECONDS)
        return rig

    def strike(self, rig: Rig) -> None:
        """Set it, once or more often, with the load going on."""
        for _ in range(self.chance.randint(1, 3)):
            if self.chance.random() < 1 / 2:
                kill(self.chance.choice(rig.workers))
            others = [shift for shift in SHIFTS_SECONDS if shift != self._shift_seconds]
            self._shift_seconds = self.chance.choice(others)
            with self._clock.open("r+b") as clock:
                clock.write(struct.pack("q", self._shift_seconds))
            more = rig.ledger.count() + self.chance.randint(1, 60)
            rig.until(
                "deliveries go on",
                lambda more=more: rig.load.done or rig.ledger.count() >= more,  # type: ignore[misc]
            )
        rig.tend()
