"""What a fault is."""

from abc import ABC, abstractmethod
from pathlib import Path
from random import Random

from tests.chaos.rig import Rig


class Fault(ABC):
    """Something that goes wrong under load, again and again; the docstring says what."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    @staticmethod
    def lacks() -> str:
        """Return what this machine lacks for it, in words; nothing if it can be done here."""
        return ""

    def rig(self, folder: Path, seed: int) -> Rig:
        """Return the rig that this is done to, not started yet."""
        return Rig(folder, seed)

    def prepare(self, rig: Rig) -> None:  # noqa: B027 (most need nothing else)
        """Start what the rig needs besides its own processes, before them."""

    @abstractmethod
    def strike(self, rig: Rig) -> None:
        """Do it; returns once every process is on its way back."""

    def well(self, rig: Rig) -> bool:
        """Tell whether all is as well again as it can be by itself; this is timed."""
        return rig.well()

    def mend(self, rig: Rig) -> None:  # noqa: B027 (most mend themselves)
        """Do what a person has to do; after it all must be well, in whatever time."""

    def clean_up(self) -> None:  # noqa: B027 (most have nothing to clean up)
        """Take away what was made and started besides the rig's own processes."""
