"""The verdict on one fault: what came of its rounds, and whether every promise held."""

from dataclasses import dataclass, field

RECOVERY_SECONDS = 30.0
"""What DESIGN promises: so long after the last process came back all is well."""


class BrokenPromiseError(Exception):
    """Something did not come out as it should; the message says what."""


@dataclass
class Verdict:
    """What came of one fault."""

    fault: str
    rounds: int = 0
    acknowledged: int = 0
    refused: int = 0
    lost: int = 0
    wrong: int = 0
    recovery_seconds: float = 0.0
    """The longest of all rounds."""
    complaints: list[str] = field(default_factory=list)
    """What did not hold, in words."""

    @property
    def held(self) -> bool:
        """Whether every promise did."""
        return not (self.complaints or self.lost or self.wrong) and (
            self.recovery_seconds <= RECOVERY_SECONDS
        )
